package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"switchboard/internal/bridge"
)

const dingRobotID = "$:LWCP_v1:$robot"

func dingSender(employee string) string { return "$:LWCP_v1:$" + employee }

// message composes the callback for one message to the robot.
func (s *dingServer) message(l Line) delivery {
	id, now, hook := s.nextID("msg"), s.now(), random()
	s.mu.Lock()
	s.sessions.put(hook, session{l.talk(), id, now.Add(dingHook)})
	s.mu.Unlock()
	e, _ := s.people.find(byName, l.Employee)
	push := map[string]any{
		"msgtype": "text", "text": map[string]string{"content": l.Text}, "msgId": id, "createAt": now.UnixMilli(),
		"conversationType": "1", "conversationId": "cid-" + l.Employee, "senderId": dingSender(l.Employee), "senderStaffId": dingUser(l.Employee),
		"senderNick": e.Name, "senderCorpId": dingCorp, "chatbotCorpId": dingCorp, "chatbotUserId": dingRobotID, "robotCode": dingClient,
		"sessionWebhook": s.base + "/robot/sendBySession?session=" + hook, "sessionWebhookExpiredTime": now.Add(dingHook).UnixMilli(),
		"isAdmin": false, "isInAtList": false, "senderPlatform": "Win",
	}
	if g, ok := s.group(func(name string) bool { return name == l.Group }); ok {
		push["conversationType"], push["conversationId"], push["conversationTitle"] = "2", dingGroup(g.ID), g.Name
		if l.Mention { // its name is taken out of the text, and a blank stays
			push["isInAtList"], push["text"] = true, map[string]string{"content": " " + l.Text}
			push["atUsers"] = []map[string]string{{"dingtalkId": dingRobotID}}
		}
	}
	if to, ok := s.Trace(l.Quote); ok {
		push["text"] = dingReply(push["text"], l.Quote, to)
	}
	if l.File != nil {
		delete(push, "text")
		push["msgtype"], push["content"] = s.enclose(l)
	}
	return s.delivery(id, []byte(encoded(push)))
}

// dingReply puts what a text answers into it. The pages do not tell of it; real
// traffic has it.
func dingReply(text any, id bridge.MessageID, to Trace) map[string]any {
	content, _ := text.(map[string]string)
	return map[string]any{"content": content["content"], "isReplyMsg": true, "repliedMsg": map[string]any{
		"msgType": "text", "msgId": id, "senderId": dingSender(to.Employee), "content": map[string]string{"text": to.Text},
	}}
}

func (s *dingServer) delivery(id string, body []byte) delivery {
	return delivery{
		id: bridge.MessageID(id), platform: dingtalk, bot: dingName,
		make: func(url string) (*http.Request, error) {
			req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // the caller sets it
			if err != nil {
				return nil, fmt.Errorf("simulator: %w", err)
			}
			timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
			req.Header.Set("timestamp", timestamp)
			req.Header.Set("sign", dingSign(timestamp, s.secret))
			return req, nil
		},
		good: func(status int, _ []byte) bool { return status == http.StatusOK },
	}
}

// probe is the request that is made when the address is saved: empty, and not signed.
func (s *dingServer) probe() delivery {
	d := s.delivery("", nil)
	signed := d.make
	d.make = func(url string) (*http.Request, error) {
		req, err := signed(url)
		if err == nil {
			req.Header.Del("timestamp")
			req.Header.Del("sign")
		}
		return req, err
	}
	return d
}

func dingSign(timestamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

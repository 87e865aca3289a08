package uitest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

func bots(now time.Time, trouble bool) []bridge.BotStatus {
	p := platforms()
	all := []bridge.BotStatus{
		{ID: "feishu-main", Platform: p[0], Mode: "longconn", Agent: "helpdesk", State: bridge.BotReady, Received: 128, Answered: 126, LastMessage: now.Add(-40 * time.Second)},
		{ID: "wecom-app", Platform: p[1], Mode: "app", Agent: "helpdesk", State: bridge.BotReady, Callback: "/hook/wecom-app", Received: 64, Answered: 62, LastMessage: now.Add(-6 * time.Minute)},
		{ID: "dt-hr", Platform: p[2], Mode: "webhook", Agent: "hr", State: bridge.BotWaiting, Callback: "/hook/dt-hr"},
	}
	if trouble {
		all[1].State, all[1].Failed = bridge.BotFailing, 2
		all[1].Err = &bridge.Error{Kind: bridge.KindForbidden, Op: "wecom: send message", Code: "60020", Args: map[string]string{"ip": "203.0.113.7"}}
	}
	return all
}

func agents(now time.Time, trouble bool) []bridge.AgentStatus {
	all := []bridge.AgentStatus{
		{ID: "helpdesk", Kind: "dify", Version: "1.16.0", Running: 3, Limit: 5, Waiting: 1, LastAnswer: now.Add(-38 * time.Second), Latency: 820 * time.Millisecond},
		{ID: "hr", Kind: "dify", Limit: 5},
	}
	if trouble {
		all[1].Err = &bridge.Error{Kind: bridge.KindUnavailable, Op: "dify: ask", Err: errors.New("connection refused")}
	}
	return all
}

// Notices implements ui.Backend.
func (h *House) Notices(lang bridge.Language) []bridge.Notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.empty || !h.Trouble {
		return nil
	}
	since := h.Now.Add(-12 * time.Minute)
	if h.TunnelDown {
		return []bridge.Notice{{ID: "tunnel_down ", Severity: bridge.SeverityError, Since: since, Title: "Platforms cannot reach this computer"}}
	}
	if lang == bridge.Chinese {
		return []bridge.Notice{
			{ID: "ip", Severity: bridge.SeverityError, Bot: "wecom-app", Since: since, Title: "企业微信拒绝发送", Detail: "这台电脑的 IP 203.0.113.7 不在应用的可信 IP 列表中，已有 2 条回答没有送达。", Next: "在企业微信管理后台 → 应用管理 → 企业可信IP 中加入 203.0.113.7。"},
			{ID: "quota", Severity: bridge.SeverityWarning, Bot: "feishu-main", Since: since.Add(-time.Hour), Title: "本月飞书调用额度已用 82%", Detail: "已自动改为省额度的显示方式，回答不受影响。", Next: "需要更多额度时，请在飞书管理后台升级套餐。"},
		}
	}
	return []bridge.Notice{
		{ID: "ip", Severity: bridge.SeverityError, Bot: "wecom-app", Since: since, Title: "WeCom refuses to send", Detail: "This computer's IP 203.0.113.7 is not in the app's list of trusted IPs; 2 answers were not delivered.", Next: "Add 203.0.113.7 in the WeCom console under App Management → Trusted IPs."},
		{ID: "quota", Severity: bridge.SeverityWarning, Bot: "feishu-main", Since: since.Add(-time.Hour), Title: "82 % of this month's Feishu calls are used", Detail: "Answers are now shown in a way that needs fewer calls. Nothing is lost.", Next: "Upgrade the plan in the Feishu admin console if you need more."},
	}
}

type talk struct {
	name      string
	group     bool
	platforms []bridge.Platform
	question  string
	answer    string
	ago       time.Duration
	state     bridge.JobState
	reply     bridge.ReplyState
}

func script(lang bridge.Language) []talk {
	f, w, d := platforms()[0], platforms()[1], platforms()[2]
	done, sent := bridge.JobCompleted, bridge.ReplyDelivered
	if lang == bridge.Chinese {
		return []talk{
			{"林雯", false, []bridge.Platform{w, f}, "那剩下的年假可以结转到明年吗？", Answer(lang, 2), 40 * time.Second, done, sent},
			{"产品周会", true, []bridge.Platform{f}, "把上周的发布说明总结成三点", "- 新增 **钉钉** 接入\n- 回答速度提升约 *30%*\n- 修复了 12 个问题", 3 * time.Minute, bridge.JobRunning, bridge.ReplyDrafting},
			{"陈玥", false, []bridge.Platform{w}, "报销单填错了部门怎么改？", "", 6 * time.Minute, bridge.JobDiscarded, bridge.ReplyFailed},
			{"赵磊", false, []bridge.Platform{d, f}, "VPN 连不上，提示 809", "错误 809 通常是路由器拦截了 UDP 500/4500 端口：\n\n1. 换手机热点再试一次\n2. 若成功，请在路由器上打开 **IPSec 穿透**\n3. 仍不行请把 `ipconfig /all` 的结果发给我", 14 * time.Minute, done, sent},
			{"王珺", false, []bridge.Platform{f}, "公司发票抬头和税号是多少？", "| 项目 | 内容 |\n| --- | --- |\n| 抬头 | 云杉（杭州）科技有限公司 |\n| 税号 | 91330100MA2XXXXX0X |", 26 * time.Minute, done, sent},
			{"客服一组", true, []bridge.Platform{w}, "客户要退货但超过 7 天了怎么答复？", "超过 7 天仍可协商：先致歉，再说明 **15 天内质量问题包退** 的规则，最后给出两个可选方案。", 41 * time.Minute, done, sent},
			{"刘喆", false, []bridge.Platform{d}, "下周二下午的大会议室还有空吗", "下周二 14:00–16:00 大会议室空闲。", 66 * time.Minute, done, sent},
			{"孙昇", false, []bridge.Platform{f}, "新员工电脑怎么申请", "请在“IT 服务台”提交 **设备申请**，通常 2 个工作日内到位。", 95 * time.Minute, done, sent},
			{"周翀", false, []bridge.Platform{w, d}, "差旅标准一线城市住宿上限？", "一线城市每晚 **550 元**，需提供发票。", 130 * time.Minute, done, sent},
			{"吴昕", false, []bridge.Platform{f}, "帮我把这段话翻译成英文", "Sure — please send me the text.", 26 * time.Hour, done, sent},
			{"研发大群", true, []bridge.Platform{f}, "今晚发布窗口是几点？", "今晚 22:00–23:30。", 30 * time.Hour, done, sent},
		}
	}
	return []talk{
		{"Lin Wen", false, []bridge.Platform{w, f}, "Can I carry the rest over to next year?", Answer(lang, 2), 40 * time.Second, done, sent},
		{"Product weekly", true, []bridge.Platform{f}, "Sum up last week's release notes in three points", "- **DingTalk** joined the family\n- Answers start about *30 %* sooner\n- 12 bugs fixed", 3 * time.Minute, bridge.JobRunning, bridge.ReplyDrafting},
		{"Chen Yue", false, []bridge.Platform{w}, "I put the wrong department on my expense report", "", 6 * time.Minute, bridge.JobDiscarded, bridge.ReplyFailed},
		{"Zhao Lei", false, []bridge.Platform{d, f}, "VPN does not connect, error 809", "Error 809 usually means that a router blocks UDP 500/4500:\n\n1. Try once over a phone hotspot\n2. If that works, switch on **IPsec pass-through** in the router\n3. Otherwise send me the output of `ipconfig /all`", 14 * time.Minute, done, sent},
		{"Priya Nair", false, []bridge.Platform{f}, "What goes on an invoice to us?", "| Field | Value |\n| --- | --- |\n| Name | Spruce (Hangzhou) Technology Co., Ltd. |\n| Tax no. | 91330100MA2XXXXX0X |", 26 * time.Minute, done, sent},
		{"Support team 1", true, []bridge.Platform{w}, "A customer wants to return something after 7 days", "It can still be settled: apologise, explain the **15-day rule for defects**, and offer two ways forward.", 41 * time.Minute, done, sent},
		{"Liu Zhe", false, []bridge.Platform{d}, "Is the large meeting room free on Tuesday afternoon?", "Yes, from 14:00 to 16:00.", 66 * time.Minute, done, sent},
		{"Sam Okafor", false, []bridge.Platform{f}, "How do I get a laptop for a new colleague?", "Please open a **device request** at the IT desk; it usually takes two working days.", 95 * time.Minute, done, sent},
		{"Zhou Chong", false, []bridge.Platform{w, d}, "Hotel limit in Shanghai?", "**¥550** a night, with an invoice.", 130 * time.Minute, done, sent},
		{"Wu Xin", false, []bridge.Platform{f}, "Please translate this paragraph into Chinese", "Sure — please send me the text.", 26 * time.Hour, done, sent},
		{"Engineering", true, []bridge.Platform{f}, "When is tonight's release window?", "22:00 to 23:30.", 30 * time.Hour, done, sent},
	}
}

func morning(lang bridge.Language, now time.Time) ([]bridge.TalkRow, map[string][]bridge.Exchange) {
	var rows []bridge.TalkRow
	lanes := map[string][]bridge.Exchange{}
	first := talk{"Lin Wen", false, platforms()[:1], "How many days of leave do I have left, and how do I apply?", Answer(lang, 1), 4 * time.Minute, bridge.JobCompleted, bridge.ReplyDelivered}
	if lang == bridge.Chinese {
		first.name, first.question = "林雯", "我今年还剩几天年假？怎么申请？"
	}
	for i, t := range script(lang) {
		lane := fmt.Sprintf("p:person-%d:helpdesk", i)
		if t.group {
			lane = fmt.Sprintf("g:feishu-main:chat-%d:helpdesk", i)
		}
		if i == 0 {
			lanes[lane] = append(lanes[lane], first.exchange(lane, 1000, now))
		}
		lanes[lane] = append(lanes[lane], t.exchange(lane, int64(2000-i), now))
		rows = append(rows, bridge.TalkRow{
			Lane: lane, Title: t.name, Person: t.name, Agent: "helpdesk", Platforms: t.platforms, LastText: t.question, LastAt: now.Add(-t.ago),
			Questions: len(lanes[lane]), State: t.state, ReplyState: t.reply,
		})
	}
	return rows, lanes
}

// Exchange is one more question by the person of the first talk.
func Exchange(lane string, id int64, question, answer string, at time.Time) bridge.Exchange {
	t := talk{"Lin Wen", false, platforms()[:1], question, answer, 0, bridge.JobCompleted, bridge.ReplyDelivered}
	return t.exchange(lane, id, at)
}

func (t talk) exchange(lane string, id int64, now time.Time) bridge.Exchange {
	at := now.Add(-t.ago)
	kind := bridge.Direct
	if t.group {
		kind = bridge.Group
	}
	bot := bots(now, false)[slices.Index(platforms(), t.platforms[0])].ID
	e := bridge.Exchange{
		Job: bridge.Job{ID: id, Queue: "helpdesk", Lane: lane, State: t.state, Attempt: 1, AcceptedAt: at, StartedAt: at.Add(4 * time.Millisecond), Message: bridge.Message{
			ID: bridge.MessageID(fmt.Sprintf("om_%d", id)), Bot: bot, Platform: t.platforms[0],
			Chat: bridge.Chat{ID: "c", Kind: kind}, Sender: bridge.Sender{ID: "u", Name: t.name}, SentAt: at, Text: t.question,
		}},
		Reply: bridge.Reply{JobID: id, State: t.reply, Text: t.answer, Seen: t.answer != "", Usage: bridge.Usage{Tokens: 412}},
	}
	steps := []bridge.Entry{
		{Kind: bridge.EntryReceived},
		{Kind: bridge.EntryStarted, Took: 4 * time.Millisecond},
		{Kind: bridge.EntryRouted, Took: 2 * time.Millisecond, Note: "helpdesk"},
		{Kind: bridge.EntryAsked, Took: 3 * time.Millisecond},
		{Kind: bridge.EntryFirstText, Took: 820 * time.Millisecond},
		{Kind: bridge.EntryShown, Took: 140 * time.Millisecond},
	}
	switch t.reply {
	case bridge.ReplyDelivered:
		steps = append(steps, bridge.Entry{Kind: bridge.EntryAnswered, Took: 1300 * time.Millisecond}, bridge.Entry{Kind: bridge.EntryDelivered, Took: 180 * time.Millisecond})
	case bridge.ReplyFailed:
		e.Reply.Error, e.Job.LastError = bridge.KindUnavailable, bridge.KindUnavailable
		steps = append(steps[:4], bridge.Entry{Kind: bridge.EntryRetry, Took: 10 * time.Second, Error: bridge.KindUnavailable, Note: "HTTP 503"}, bridge.Entry{Kind: bridge.EntryApology, Took: 90 * time.Millisecond})
	case bridge.ReplyPlanned, bridge.ReplyDrafting, bridge.ReplyAnswered:
	}
	clock := at
	for i := range steps {
		clock = clock.Add(steps[i].Took)
		steps[i].At, steps[i].JobID, steps[i].ID = clock, id, int64(i+1)
	}
	e.Entries = steps
	if e.Job.State.Final() {
		e.Job.FinishedAt = clock
	}
	return e
}

// budgets are the monthly allowances of the office; that of DingTalk runs short.
func budgets(now time.Time) []bridge.Budget {
	p := platforms()
	y, m, _ := now.Date()
	renews := time.Date(y, m+1, 1, 0, 0, 0, 0, now.Location())
	return []bridge.Budget{
		{Account: string(p[2]), Meter: bridge.MeterCalls, Allowance: 5000, Used: 3120, Renews: renews, RunsOut: now.AddDate(0, 0, 3)},
		{Account: string(p[0]), Meter: bridge.MeterCalls, Allowance: 10000, Used: 1204, Renews: renews},
		{Account: "ngrok", Meter: bridge.MeterRequests, Used: 77, Renews: renews},
	}
}

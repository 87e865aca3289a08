package uitest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// platforms are those of the office.
func platforms() []bridge.Platform {
	var all []bridge.Platform
	for _, name := range strings.Fields("feishu wecom dingtalk") {
		all = append(all, bridge.Platform(name))
	}
	return all
}

// StartDemo implements ui.Backend.
func (h *House) StartDemo(context.Context) error {
	h.mu.Lock()
	h.demo = h.Fail == nil
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeBubble})
	h.tell(bridge.Change{Kind: bridge.ChangeOverview})
	return h.Fail
}

// StopDemo implements ui.Backend.
func (h *House) StopDemo(context.Context) error {
	h.mu.Lock()
	h.demo, h.bubbles = false, nil
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeBubble})
	return h.Fail
}

// Employees implements ui.Backend.
func (h *House) Employees() []bridge.Employee {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.demo {
		return nil
	}
	names := []string{"Lin Wen", "Chen Yue", "Zhao Lei"}
	if h.Language == bridge.Chinese {
		names = []string{"林雯", "陈玥", "赵磊"}
	}
	var all []bridge.Employee
	for i, name := range names {
		all = append(all, bridge.Employee{ID: fmt.Sprintf("e%d", i+1), Name: name, Platforms: platforms()})
	}
	return all
}

// Bubbles implements ui.Backend.
func (h *House) Bubbles(employee string) []bridge.Bubble {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.bubbles), func(b bridge.Bubble) bool { return b.Employee != employee })
}

// Said returns every text Say was called with.
func (h *House) Said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.said)
}

// Say implements ui.Backend: the answer grows piece by piece.
func (h *House) Say(ctx context.Context, employee string, p bridge.Platform, text string) error {
	if h.Fail != nil {
		return h.Fail
	}
	h.mu.Lock()
	h.said = append(h.said, text)
	h.bubbles = append(h.bubbles, bridge.Bubble{ID: fmt.Sprintf("q%d", len(h.bubbles)), Employee: employee, Platform: p, Text: text, At: time.Now(), Changed: time.Now()})
	id := fmt.Sprintf("a%d", len(h.bubbles))
	n := len(h.said)
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeBubble})
	go h.answer(ctx, bridge.Bubble{ID: id, Employee: employee, Platform: p, FromBot: true, At: time.Now()}, []rune(Answer(i18n.Guess(text, h.Language), n)))
	return nil
}

func (h *House) answer(ctx context.Context, b bridge.Bubble, text []rune) {
	const piece = 6
	for shown := 0; shown < len(text); {
		if h.Chunk > 0 {
			pause := time.NewTimer(h.Chunk)
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
			pause.Stop()
			shown = min(shown+piece, len(text))
		} else {
			shown = len(text)
		}
		b.Text, b.Growing, b.Changed = string(text[:shown]), shown < len(text), time.Now()
		if b.Buttons = []string{i18n.Text(h.Language, "reply.button.stop")}; !b.Growing {
			b.Buttons = []string{"👍", "👎", i18n.Text(h.Language, "reply.button.again")}
		}
		b.Updates++
		h.put(b)
	}
}

func (h *House) put(b bridge.Bubble) {
	h.mu.Lock()
	at := slices.IndexFunc(h.bubbles, func(o bridge.Bubble) bool { return o.ID == b.ID })
	if at < 0 {
		h.bubbles = append(h.bubbles, b)
	} else {
		h.bubbles[at] = b
	}
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeBubble})
}

// Click implements ui.Backend: the buttons go away.
func (h *House) Click(_ context.Context, employee, bubble, button string) error {
	if h.Fail != nil {
		return h.Fail
	}
	h.mu.Lock()
	h.clicked = append(h.clicked, employee+" "+bubble+" "+button)
	for i, b := range h.bubbles {
		if b.ID == bubble {
			h.bubbles[i].Buttons = nil
		}
	}
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeBubble})
	return nil
}

// Clicked returns what Click was called with.
func (h *House) Clicked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.clicked)
}

// Disturb implements ui.Backend.
func (h *House) Disturb(spec string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.disturb = spec
	return h.Fail
}

// Disturbed returns what Disturb was called with last.
func (h *House) Disturbed() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.disturb
}

// Answer is what the agent of the office says the nth time.
func Answer(lang bridge.Language, n int) string {
	english := []string{
		"You have **8 days** of annual leave left.\n\n1. Open *Leave* in the HR portal\n2. Choose the days\n3. Your team lead approves within a day",
		"Yes. Up to **5 days** can be carried over until **31 March**.",
		"The Wi-Fi for guests is `Office-Guest`. The password changes every Monday and is shown at the front desk.",
		"**Spruce (Hangzhou) Technology Co., Ltd.**, tax number 91330100MA2XXXXX0X.",
	}
	chinese := []string{
		"你还有 **8 天**年假。申请步骤：\n\n1. 打开人事系统的“请假”\n2. 选择日期\n3. 直属主管会在一天内审批",
		"可以。最多可以结转 **5 天**，有效期到次年 **3 月 31 日**。",
		"访客 Wi-Fi 是 `Office-Guest`，密码每周一更换，可在前台查看。",
		"抬头是 **云杉（杭州）科技有限公司**，税号 91330100MA2XXXXX0X。",
	}
	if lang == bridge.Chinese {
		return chinese[(n-1)%len(chinese)]
	}
	return english[(n-1)%len(english)]
}

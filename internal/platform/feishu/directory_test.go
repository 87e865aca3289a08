package feishu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

const pathDepartments = "/open-apis/contact/v3/departments/0/children"

// TestDepartments: the list is read page by page and costs nothing. A name that is
// missing is a right that is missing.
func TestDepartments(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	counted := 0
	lister, _ := f.bot(t, nil, bridge.Env{Count: func(string) { counted++ }}).(bridge.DepartmentLister)
	f.script(pathDepartments,
		ok(`{"has_more":true,"page_token":"p2","items":[{"open_department_id":"od-1","name":"人事部","parent_department_id":"0"}]}`),
		ok(`{"has_more":false,"items":[{"open_department_id":"od-2","name":"招聘组","parent_department_id":"od-1"}]}`),
		ok(`{"has_more":false,"items":[{"open_department_id":"od-1","parent_department_id":"0"}]}`),
		bad(40004, "no dept authority error"),
		ok(`{"has_more":false}`),
	)
	got, err := lister.Departments(t.Context())
	want := []bridge.Department{{ID: "od-1", Name: "人事部"}, {ID: "od-2", Name: "招聘组", Above: "od-1"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || counted != 0 {
		t.Errorf("%s %v, %d calls counted", diff, err, counted)
	}
	for _, why := range []string{"no names", "not everybody"} {
		if got, err := lister.Departments(t.Context()); bridge.KindOf(err) != bridge.KindForbidden || got != nil {
			t.Errorf("%s: %v, %v", why, got, err)
		}
	}
	if got, err := lister.Departments(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}

// TestChatName: what a group is called is looked up; a right that is missing is said
// with where it is granted.
func TestChatName(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	namer, _ := f.bot(t, nil, bridge.Env{}).(bridge.ChatNamer)
	f.script("/open-apis/im/v1/chats/oc_1",
		ok(`{"name":"午饭\n群","chat_mode":"group"}`),
		bad(99991672, "Access denied. One of the following scopes is required: [im:chat:readonly]"),
	)
	if got, err := namer.ChatName(t.Context(), "oc_1"); got != "午饭 群" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := namer.ChatName(t.Context(), "oc_1"); got != "" || bridge.KindOf(err) != bridge.KindForbidden {
		t.Errorf("%q, %v", got, err)
	}
}

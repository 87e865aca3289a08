package wecom_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// TestDepartments: all that the app may see are told at once.
func TestDepartments(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	lister, _ := f.bot(t, nil, bridge.Env{}).(bridge.DepartmentLister)
	f.script("/cgi-bin/department/list",
		scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","department":[{"id":1,"name":"示例公司","parentid":0,"order":1},{"id":7,"name":"人事部","parentid":1,"order":2}]}`},
		scripted{Status: 200, Body: `{"errcode":60011,"errmsg":"no privilege to access/modify contact/party/agent"}`},
	)
	got, err := lister.Departments(t.Context())
	want := []bridge.Department{{ID: "1", Name: "示例公司"}, {ID: "7", Name: "人事部", Above: "1"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	if got, err := lister.Departments(t.Context()); bridge.KindOf(err) != bridge.KindForbidden || got != nil {
		t.Errorf("not allowed: %v, %v", got, err)
	}
}

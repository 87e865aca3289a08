package dingtalk_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

const pathDepartments = "/topapi/v2/department/listsub"

// TestDepartments: what is below each department is asked for, from the company
// down, and costs nothing.
func TestDepartments(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	counted := 0
	lister, _ := f.bot(t, nil, bridge.Env{Count: func(string) { counted++ }}).(bridge.DepartmentLister)
	f.script(pathDepartments,
		answer{200, `{"errcode":0,"errmsg":"ok","result":[{"dept_id":7,"name":"人事部","parent_id":1},{"dept_id":8,"name":"产品部","parent_id":1}]}`},
		answer{200, `{"errcode":0,"errmsg":"ok","result":[{"dept_id":9,"name":"招聘组","parent_id":7}]}`},
		answer{200, `{"errcode":0,"errmsg":"ok","result":[]}`},
		answer{200, `{"errcode":0,"errmsg":"ok","result":[]}`},
		answer{200, `{"errcode":88,"errmsg":"ding talk error","sub_code":"60011","sub_msg":"[qyapi_get_department_list]"}`},
	)
	got, err := lister.Departments(t.Context())
	want := []bridge.Department{{ID: "7", Name: "人事部"}, {ID: "8", Name: "产品部"}, {ID: "9", Name: "招聘组", Above: "7"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || counted != 0 {
		t.Errorf("%s %v, %d calls counted", diff, err, counted)
	}
	if calls := f.took(pathDepartments); len(calls) != 4 {
		t.Errorf("%d calls", len(calls))
	}
	if got, err := lister.Departments(t.Context()); bridge.KindOf(err) != bridge.KindForbidden || got != nil {
		t.Errorf("not allowed: %v, %v", got, err)
	}
}

// TestDepartmentsTakeTheirTime: a company has more departments than DingTalk tells
// in a second, 20, and what comes faster is refused.
func TestDepartmentsTakeTheirTime(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		const many = 45
		var list []string
		var empty []answer
		for n := range many {
			list = append(list, fmt.Sprintf(`{"dept_id":%d,"name":"d"}`, n+2))
			empty = append(empty, answer{200, `{"errcode":0,"result":[]}`})
		}
		f.script(pathDepartments, answer{200, `{"errcode":0,"result":[` + strings.Join(list, ",") + `]}`})
		f.script(pathDepartments, empty...)
		lister, _ := f.bot(t, nil, bridge.Env{}).(bridge.DepartmentLister)
		began := time.Now()
		if got, err := lister.Departments(t.Context()); err != nil || len(got) != many {
			t.Errorf("%d departments, %v", len(got), err)
		}
		if took := time.Since(began); took < many*time.Second/20 || took > many*time.Second/10 {
			t.Errorf("%d calls took %v", many+1, took)
		}
	})
}

// TestOldCallsRest: when the old API says that calls come too fast, the next one waits.
func TestOldCallsRest(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		lister, _ := f.bot(t, nil, bridge.Env{}).(bridge.DepartmentLister)
		f.script(pathDepartments, answer{200, `{"errcode":88,"errmsg":"x","sub_code":"90018","sub_msg":"too fast"}`}, answer{200, `{"errcode":0,"result":[]}`})
		_, err := lister.Departments(t.Context())
		pause := bridge.RetryAfter(err)
		if bridge.KindOf(err) != bridge.KindRateLimited || pause <= 0 {
			t.Fatalf("got %v", err)
		}
		began := time.Now()
		if _, err := lister.Departments(t.Context()); err != nil || time.Since(began) < pause {
			t.Errorf("%v, after %v of %v", err, time.Since(began), pause)
		}
	})
}

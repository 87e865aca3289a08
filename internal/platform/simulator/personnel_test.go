package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/platform/simulator"
)

// TestDingFiles: the file of an employee is told as far as the app has the rights;
// without that to any, DingTalk says which one is missing.
func TestDingFiles(t *testing.T) {
	t.Parallel()
	for withheld, want := range map[string]struct{ name, mobile, email, code, missing string }{
		"":                 {"李娜", "13800138001", "li@demo.example", "", ""},
		"fieldMobile":      {"李娜", "", "li@demo.example", "", ""},
		"fieldEmail":       {"李娜", "13800138001", "", "", ""},
		"qyapi_get_member": {"", "", "", "60011", "[qyapi_get_member]"},
	} {
		b := setup(t, simulator.Options{Withhold: []string{withheld}})
		url := b.bots["dingtalk"].Settings["oapi_url"] + "/topapi/v2/user/get?access_token=" + b.token("dingtalk")
		r := b.session(url, map[string]string{"userid": "staff-li", "language": "zh_CN"})
		got := []string{r.text("result.name"), r.text("result.mobile"), r.text("result.org_email"), r.text("sub_code")}
		if diff := cmp.Diff([]string{want.name, want.mobile, want.email, want.code}, got); diff != "" || !strings.Contains(r.text("sub_msg"), want.missing) {
			t.Errorf("without %q: %s\n%s", withheld, diff, r.body)
		}
		if departments, _ := json.Marshal(r.at("result.dept_id_list")); want.code == "" && string(departments) != "[1,3]" {
			t.Errorf("departments %s", departments)
		}
	}
}

// TestDingDepartments: DingTalk tells what is directly below a department.
func TestDingDepartments(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	list := b.bots["dingtalk"].Settings["oapi_url"] + "/topapi/v2/department/listsub?access_token="
	token := b.token("dingtalk")
	for _, c := range []struct {
		token string
		body  any
		code  int
		names string
	}{
		{token, map[string]any{"dept_id": 1, "language": "zh_CN"}, 0, "产品部 人事部 销售部"},
		{token, map[string]any{"dept_id": 3}, 0, "招聘组"},
		{token, map[string]any{"dept_id": 4}, 0, ""},
		{token, map[string]any{"dept_id": 77}, 60003, ""},
		{token, map[string]any{"department": 1}, 40035, ""},
		{"x", map[string]any{"dept_id": 1}, 40014, ""},
	} {
		r := b.session(list+c.token, c.body)
		if r.code() != c.code || names(r.at("result")) != c.names {
			t.Errorf("%v: %s", c.body, r.body)
		}
	}
	b = setup(t, simulator.Options{Withhold: []string{"qyapi_get_department_list"}})
	list = b.bots["dingtalk"].Settings["oapi_url"] + "/topapi/v2/department/listsub?access_token="
	if r := b.session(list+b.token("dingtalk"), map[string]any{"dept_id": 1}); r.code() != 88 || r.text("sub_code") != "60011" {
		t.Errorf("without the right: %s", r.body)
	}
}

// names are those of the departments in a list.
func names(list any) string {
	all, _ := list.([]any)
	var found []string
	for _, d := range all {
		m, _ := d.(map[string]any)
		name, _ := m["name"].(string)
		found = append(found, name)
	}
	return strings.Join(found, " ")
}

// TestFeishuDepartments: everything below the company, in pages, with names if the
// app may see them.
func TestFeishuDepartments(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	const all = "contact/v3/departments/0/children?department_id_type=open_department_id&fetch_child=true&page_size=50"
	first := l.good(http.MethodGet, all, nil)
	if got := names(first.at("data.items")); got != "示例公司 产品部 人事部 销售部" || first.at("data.has_more") != true {
		t.Errorf("%s", first.body)
	}
	second := l.good(http.MethodGet, all+"&page_token="+first.text("data.page_token"), nil)
	if got := names(second.at("data.items")); got != "销售部 招聘组" || second.at("data.has_more") != false {
		t.Errorf("%s", second.body)
	}
	direct := l.good(http.MethodGet, "contact/v3/departments/od-demo-3/children?department_id_type=open_department_id", nil)
	if got := names(direct.at("data.items")); got != "招聘组" {
		t.Errorf("%s", direct.body)
	}
	for path, code := range map[string]int{
		"contact/v3/departments/od-none/children?department_id_type=open_department_id":         40015,
		"contact/v3/departments/0/children?department_id_type=open_department_id&page_size=51":  99992402,
		"contact/v3/departments/0/children?department_id_type=open_department_id&page_token=-x": 99992402,
	} {
		if r := l.do(http.MethodGet, path, nil); r.code() != code {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	l = newLark(t, simulator.Options{Withhold: []string{"contact:department.base:readonly"}})
	if got := l.good(http.MethodGet, all, nil); strings.TrimSpace(names(got.at("data.items"))) != "" {
		t.Errorf("without the right: %s", got.body)
	}
	l = newLark(t, simulator.Options{Withhold: []string{"contact:contact.base:readonly"}})
	if r := l.do(http.MethodGet, all, nil); r.code() != 99991672 {
		t.Errorf("without the right to see any: %s", r.body)
	}
}

// TestWecomDepartments: all that the app may see are told at once.
func TestWecomDepartments(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	r := b.call("wecom", http.MethodGet, "/cgi-bin/department/list?access_token="+b.token("wecom"), nil, nil)
	if got := names(r.at("department")); got != "示例公司 产品部 人事部 招聘组 销售部 销售部" {
		t.Errorf("%s", r.body)
	}
	if r := b.call("wecom", http.MethodGet, "/cgi-bin/department/list?access_token=x", nil, nil); r.code() != 42001 {
		t.Errorf("%s", r.body)
	}
}

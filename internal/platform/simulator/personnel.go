package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"switchboard/internal/bridge"
)

// department is one of the simulated company's, the same on every platform. Above
// is the one it is part of, 0 for the company itself.
type department struct {
	id, above int
	name      string
}

// company is the simulated company. Two of its departments have one name.
func company() []department {
	return []department{
		{topDepartment, 0, "示例公司"},
		{2, topDepartment, "产品部"},
		{3, topDepartment, "人事部"},
		{4, 3, "招聘组"},
		{5, topDepartment, "销售部"},
		{6, 2, "销售部"},
	}
}

const topDepartment = 1

// below lists what is directly below a department; false when there is none.
func below(id int) (all []department, known bool) {
	for _, d := range company() {
		known = known || d.id == id
		if d.above == id {
			all = append(all, d)
		}
	}
	return all, known
}

// personnel is the file that a company keeps of somebody.
type personnel struct {
	email, mobile, title, number string
	departments                  []int
}

// personnelOf reads the file of an employee. Everybody belongs to the company, and
// to one of its departments.
func (d directory) personnelOf(e bridge.Employee) personnel {
	n := d.by[byName+" "+e.ID]
	f := personnel{
		email: e.ID + "@demo.example", mobile: "138001" + strconv.Itoa(38000+n), title: "员工", number: "N" + strconv.Itoa(1000+n), departments: []int{topDepartment, 2},
	}
	switch e.ID {
	case "li":
		f.departments[1] = 3
	case "alex":
		f.departments[1] = 4
	}
	return f
}

// withheld says that the app was not granted a right.
func (s *Simulator) withheld(right string) bool {
	_, granted := s.granted.Load(right)
	return !granted && slices.Contains(s.opt.Withhold, right)
}

// Grant gives the apps a right that Options.Withhold kept from them.
func (s *Simulator) Grant(right string) { s.granted.Store(right, true) }

// The rights of an app on DingTalk that Options.Withhold may name.
const (
	dingReadMembers     = "qyapi_get_member"
	dingReadMobiles     = "fieldMobile"
	dingReadEmails      = "fieldEmail"
	dingReadDepartments = "qyapi_get_department_list"
)

// askedOld checks what calls of DingTalk's old API have in common, and reads the
// body into m. Known says whether that is about somebody or something that exists.
func (s *dingServer) askedOld(w http.ResponseWriter, r *http.Request, right string, m any, known func() (code int, msg string)) bool {
	err := strict(r, m)
	code, msg := 0, ""
	switch {
	case !s.tokens.valid(r.URL.Query().Get("access_token")):
		code, msg = 40014, "不合法的access_token"
	case s.withheld(right):
		reply(w, http.StatusOK, map[string]any{
			"errcode": 88, "errmsg": "ding talk error", "sub_code": "60011", "sub_msg": "没有调用该接口的权限，应用尚未开通所需的权限：[" + right + "]",
		})
		return false
	case err != nil:
		code, msg = 40035, "缺少参数"
	default:
		code, msg = known()
	}
	if code != 0 {
		derrOld(w, code, msg)
	}
	return code == 0
}

// userGet tells what stands in the file of an employee. The mobile number and the
// addresses are rights of their own, and simply missing without them.
func (s *dingServer) userGet(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID       string `json:"userid"`
		Language string `json:"language"`
	}
	var e bridge.Employee
	ok := s.askedOld(w, r, dingReadMembers, &m, func() (int, string) {
		var known bool
		switch e, known = s.people.find(byDing, m.ID); {
		case m.ID == "":
			return 33012, "无效的USERID"
		case !known:
			return 60121, "找不到该用户"
		default:
			return 0, ""
		}
	})
	if !ok {
		return
	}
	f := s.people.personnelOf(e)
	user := map[string]any{
		"userid": m.ID, "unionid": "union-" + e.ID, "name": e.Name, "avatar": s.base + "/avatar/" + e.ID + ".png", "title": f.title, "job_number": f.number,
		"dept_id_list": f.departments, "manager_userid": "", "admin": false, "boss": false, "active": true,
	}
	if !s.withheld(dingReadMobiles) {
		user["mobile"], user["state_code"] = f.mobile, "86"
	}
	if !s.withheld(dingReadEmails) {
		user["org_email"], user["email"] = f.email, ""
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "result": user, "request_id": random()})
}

// listSub lists what is directly below a department.
func (s *dingServer) listSub(w http.ResponseWriter, r *http.Request) {
	m := struct {
		ID       *json.Number `json:"dept_id"`
		Language string       `json:"language"`
	}{}
	var found []department
	ok := s.askedOld(w, r, dingReadDepartments, &m, func() (int, string) {
		id := topDepartment
		if m.ID != nil {
			id, _ = strconv.Atoi(m.ID.String())
		}
		var known bool
		if found, known = below(id); !known {
			return 60003, "部门不存在"
		}
		return 0, ""
	})
	if !ok {
		return
	}
	all := []map[string]any{}
	for _, d := range found {
		all = append(all, map[string]any{"dept_id": d.id, "name": d.name, "parent_id": d.above, "create_dept_group": false, "auto_add_user": false})
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "result": all, "request_id": random()})
}

// departmentList lists the departments that the WeCom app may see, which are all.
func (s *wecomServer) departmentList(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	all := []map[string]any{}
	for n, d := range company() {
		all = append(all, map[string]any{"id": d.id, "name": d.name, "parentid": d.above, "order": 100000 - n})
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "department": all})
}

// openDepartment is the open_department_id of a department.
func openDepartment(id int) string {
	switch id {
	case 0:
		return "0"
	case topDepartment:
		return "od-demo"
	default:
		return "od-demo-" + strconv.Itoa(id)
	}
}

// departmentPage is how many departments the Feishu server tells at a time, less
// than it was asked for, so that everybody has to turn pages.
const departmentPage = 4

// departments lists what is below a department, all of it if that is wanted.
func (s *feishuServer) departments(r *http.Request) (any, *refusal) {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("page_size"))
	from, err := strconv.Atoi("0" + q.Get("page_token"))
	switch {
	case q.Get("department_id_type") != "open_department_id" || size < 0 || size > 50 || err != nil:
		return nil, refuse(99992402, "field validation failed")
	case s.withheld("contact:contact.base:readonly"):
		no := refuse(99991672, "Access denied. One of the following scopes is required: [contact:contact.base:readonly]")
		no.missing = []string{"contact:contact.base:readonly"}
		return nil, no
	}
	top := slices.IndexFunc(company(), func(d department) bool { return openDepartment(d.id) == r.PathValue("department") })
	if top < 0 && r.PathValue("department") != "0" {
		return nil, refuse(40015, "department not exist")
	}
	at := 0
	if top >= 0 {
		at = company()[top].id
	}
	items := []map[string]any{}
	for _, d := range subtree(at, q.Get("fetch_child") == "true") {
		item := map[string]any{"open_department_id": openDepartment(d.id), "parent_department_id": openDepartment(d.above), "status": map[string]bool{"is_deleted": false}}
		if !s.withheld("contact:department.base:readonly") {
			item["name"] = d.name
		}
		items = append(items, item)
	}
	rest := items[min(from, len(items)):]
	page := rest[:min(departmentPage, len(rest))]
	answer := map[string]any{"items": page, "has_more": len(rest) > len(page)}
	if len(rest) > len(page) {
		answer["page_token"] = strconv.Itoa(from + len(page))
	}
	return answer, nil
}

// subtree lists what is below a department, directly or at all.
func subtree(id int, all bool) []department {
	found, _ := below(id)
	for n := 0; all && n < len(found); n++ {
		more, _ := below(found[n].id)
		found = append(found, more...)
	}
	return found
}

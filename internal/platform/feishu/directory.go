package feishu

import (
	"context"
	"net/http"
	"net/url"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

const (
	// rootDepartment is the whole company; an app that may not see everybody may
	// not list what is below it.
	rootDepartment     = "0"
	departmentPage     = "50" // the most that is allowed
	maxDepartmentPages = 100
	// scopeDepartments is the right to see the names of departments.
	scopeDepartments = "contact:department.base:readonly"
)

// Departments implements bridge.DepartmentLister. The call is free of charge.
func (b *bot) Departments(ctx context.Context) ([]bridge.Department, error) {
	query := url.Values{"department_id_type": {"open_department_id"}, "fetch_child": {"true"}, "page_size": {departmentPage}}
	var all []bridge.Department
	for range maxDepartmentPages {
		var got departmentsAnswer
		r := request{op: opDepartments, method: http.MethodGet, api: apiDepartments, ids: []string{rootDepartment}, query: query}
		if err := b.client.call(ctx, r, &got); err != nil {
			return nil, err
		}
		for _, d := range got.Data.Items {
			if d.Name == "" { // which is how a missing right shows
				return nil, &bridge.Error{
					Kind: bridge.KindForbidden, Op: opDepartments, Code: codeNoScope, Detail: "names are withheld", Args: b.client.grant(scopeDepartments),
				}
			}
			if d.Above == rootDepartment {
				d.Above = ""
			}
			all = append(all, bridge.Department{ID: d.ID, Name: d.Name, Above: d.Above})
		}
		if !got.Data.More || got.Data.Next == "" {
			return all, nil
		}
		query.Set("page_token", got.Data.Next)
	}
	return nil, &bridge.Error{Kind: bridge.KindTooLarge, Op: opDepartments, Detail: "more departments than are read"}
}

// ChatName implements bridge.ChatNamer: "Obtain group information" of the server API.
func (b *bot) ChatName(ctx context.Context, chat string) (string, error) {
	var got chatAnswer
	err := b.client.call(ctx, request{op: opChat, method: http.MethodGet, api: apiChat, ids: []string{chat}}, &got)
	return prose.OneLine(got.Data.Name), err
}

type chatAnswer struct {
	Data struct {
		Name string `json:"name"`
	} `json:"data"`
}

type departmentsAnswer struct {
	Data struct {
		More  bool   `json:"has_more"`
		Next  string `json:"page_token"`
		Items []struct {
			ID    string `json:"open_department_id"`
			Name  string `json:"name"`
			Above string `json:"parent_department_id"`
		} `json:"items"`
	} `json:"data"`
}

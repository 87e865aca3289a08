package dingtalk

import (
	"context"
	"net/url"
	"strconv"

	"switchboard/internal/bridge"
)

const (
	// topDepartment is the company itself, which is in no list.
	topDepartment = 1
	// maxDepartments bounds how often DingTalk is asked: it tells what is directly
	// below one department at a time.
	maxDepartments = 1000
)

// Departments implements bridge.DepartmentLister. The calls are free of charge.
func (b *bot) Departments(ctx context.Context) ([]bridge.Department, error) {
	var all []bridge.Department
	for next := []int64{topDepartment}; len(next) > 0; next = next[1:] {
		var found departmentsFound
		r := request{op: opDepartments, url: pathDepartments, in: departmentsRequest{next[0], "zh_CN"}}
		if err := b.client.callOld(ctx, r, url.Values{}, &found); err != nil {
			return nil, err
		}
		above := ""
		if next[0] != topDepartment {
			above = strconv.FormatInt(next[0], 10)
		}
		for _, d := range found.Result {
			all = append(all, bridge.Department{ID: strconv.FormatInt(d.ID, 10), Name: d.Name, Above: above})
			next = append(next, d.ID)
		}
		if len(all) > maxDepartments {
			return nil, &bridge.Error{Kind: bridge.KindTooLarge, Op: opDepartments, Detail: "more departments than are read"}
		}
	}
	return all, nil
}

type departmentsRequest struct {
	ID       int64  `json:"dept_id"`
	Language string `json:"language"`
}

type departmentsFound struct {
	Result []struct {
		ID   int64  `json:"dept_id"`
		Name string `json:"name"`
	} `json:"result"`
}

package wecom

import (
	"context"
	"strconv"

	"switchboard/internal/bridge"
)

// Departments implements bridge.DepartmentLister: those in the app's visible range.
func (b *bot) Departments(ctx context.Context) ([]bridge.Department, error) {
	var found departmentsFound
	if err := b.client.call(ctx, request{op: opDepartments, path: pathDepartments}, &found); err != nil {
		return nil, err
	}
	var all []bridge.Department
	for _, d := range found.Departments {
		above := ""
		if d.Above > 0 {
			above = strconv.FormatInt(d.Above, 10)
		}
		all = append(all, bridge.Department{ID: strconv.FormatInt(d.ID, 10), Name: d.Name, Above: above})
	}
	return all, nil
}

type departmentsFound struct {
	Departments []struct {
		ID    int64  `json:"id"`
		Name  string `json:"name"`
		Above int64  `json:"parentid"`
	} `json:"department"`
}

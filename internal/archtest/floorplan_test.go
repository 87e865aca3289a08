package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "switchboard/"

// plan is the floor plan. A package may import only packages on lower floors,
// never one beside it. Packages on a floor with walls see only those floors.
var plan = []struct {
	floor    int
	name     string
	packages []string // path.Match patterns below the module
	walls    []int    // nil: every lower floor
}{
	{8, "command", []string{"cmd/*"}, []int{0, 1, 4, 7}},
	{7, "window", []string{"ui"}, []int{0, 1, 5, 6}},
	{6, "pages", []string{"ui/page/*", "ui/tray"}, []int{0, 1, 5}},
	{5, "widgets", []string{"ui/live", "ui/widget", "ui/theme"}, []int{0, 1}},
	{4, "assembly", []string{"internal/app"}, nil},
	{3, "engine", []string{"internal/engine"}, nil},
	{2, "stages", []string{"internal/webhook", "internal/inbox", "internal/router", "internal/reply", "internal/journal", "internal/people", "internal/privacy"}, nil},
	{2, "edges", []string{"internal/platform/*", "internal/agent/*", "internal/store", "internal/secret", "internal/settings", "internal/tunnel", "internal/api", "internal/admin"}, nil},
	{1, "tools", []string{"internal/form", "internal/health", "internal/i18n", "internal/inputs", "internal/lifecycle", "internal/logs", "internal/metrics", "internal/pace", "internal/prose", "internal/quota", "internal/token", "internal/webcall"}, nil},
	{0, "words", []string{"assets", "internal/bridge"}, nil},
}

// testOnly packages stand outside the plan: only tests import them.
var testOnly = []string{
	"internal/archtest", "internal/bridge/bridgetest", "internal/platform/platformtest", "internal/agent/agenttest", "internal/agent/difytest", "internal/store/storetest",
	"internal/tunnel/tunneltest", "ui/uitest",
}

func TestFloorPlan(t *testing.T) {
	for _, f := range files(t) {
		if f.test || slices.Contains(testOnly, f.pkg) {
			continue
		}
		from, ok := find(f.pkg)
		if !ok {
			t.Errorf("%s: package %s is not on the floor plan", f.name, f.pkg)
			continue
		}
		for _, spec := range f.syntax.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			to, ours := strings.CutPrefix(imp, module)
			switch {
			case !ours:
			case slices.Contains(testOnly, to):
				t.Errorf("%s: %s is for tests", f.name, to)
			default:
				n, _ := find(to)
				if plan[n].floor >= plan[from].floor {
					t.Errorf("%s: %s (floor %d) may not import %s (floor %d)", f.name, f.pkg, plan[from].floor, to, plan[n].floor)
				} else if w := plan[from].walls; w != nil && !slices.Contains(w, plan[n].floor) {
					t.Errorf("%s: a wall stands between %s and %s", f.name, f.pkg, to)
				}
			}
		}
	}
}

// TestPackageDocs wants one package comment in each package, in doc.go.
func TestPackageDocs(t *testing.T) {
	docs := map[string][]string{}
	for _, f := range files(t) {
		if f.test {
			continue
		}
		docs[f.pkg] = append(docs[f.pkg], nil...)
		if f.syntax.Doc != nil {
			docs[f.pkg] = append(docs[f.pkg], path.Base(f.name))
		}
	}
	for pkg, in := range docs {
		want := "doc.go"
		if strings.HasPrefix(pkg, "cmd/") {
			want = "main.go"
		}
		if !slices.Equal(in, []string{want}) {
			t.Errorf("package %s: comment in %v, want it in [%s]", pkg, in, want)
		}
	}
}

// TestPlatformsLookAlike wants the same files in every platform package. One that
// can list what was written has those of that besides; one on which customer
// service is a bot of another kind, which is written to and answers in other ways,
// has that in service.go, and what both kinds of bot do with files in media.go.
func TestPlatformsLookAlike(t *testing.T) {
	want := strings.Fields(`
		capabilities.go client.go config.go connector.go crypto.go doc.go
		errors.go inbound.go outbound.go stream.go webhook.go wire.go
		client_test.go conformance_test.go inbound_test.go outbound_test.go
		stream_test.go webhook_test.go directory.go directory_test.go`)
	slices.Sort(want)
	have := map[string][]string{}
	for _, f := range files(t) {
		// The simulator plays the other side; it is no connector.
		if path.Dir(f.pkg) == "internal/platform" && path.Base(f.pkg) != "simulator" && !slices.Contains(testOnly, f.pkg) {
			have[f.pkg] = append(have[f.pkg], path.Base(f.name))
		}
	}
	for pkg, got := range have {
		got = slices.DeleteFunc(got, func(name string) bool {
			return slices.Contains([]string{"history.go", "service.go", "media.go"}, strings.Replace(name, "_test.go", ".go", 1))
		})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", pkg, got, want)
		}
	}
}

// TestOptionalInterfaces wants each optional interface asked for in one place.
func TestOptionalInterfaces(t *testing.T) {
	home := map[string]string{
		"Streamer": "internal/reply", "Listener": "internal/app", "FileOpener": "internal/engine", "Directory": "internal/app",
		"DepartmentLister": "internal/app", "ChatNamer": "internal/app",
		"Recaller": "internal/app", "Backfiller": "internal/app", "Previewer": "internal/app", "Renewer": "internal/app",
		"Stopper": "internal/engine", "Feedbacker": "internal/engine", "Suggester": "internal/engine",
		"Uploader": "internal/engine", "FormFiller": "internal/engine", "FormWatcher": "internal/engine", "FormUploader": "internal/engine", "Fetcher": "internal/engine", "Transcriber": "internal/engine",
		"Greeter": "internal/engine", "Versioned": "internal/app",
	}
	for _, f := range files(t) {
		if f.test || slices.Contains(testOnly, f.pkg) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			var asked []ast.Expr
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				asked = []ast.Expr{n.Type}
			case *ast.CaseClause:
				asked = n.List
			}
			for _, expr := range asked {
				if sel, ok := expr.(*ast.SelectorExpr); ok {
					if want, ok := home[sel.Sel.Name]; ok && want != f.pkg {
						t.Errorf("%s: only %s asks for a %s", f.name, want, sel.Sel.Name)
					}
				}
			}
			return true
		})
	}
}

// TestPlatformNames wants no platform named outside its own package.
func TestPlatformNames(t *testing.T) {
	names := []string{"feishu", "lark", "wecom", "dingtalk"}
	for _, f := range files(t) {
		if f.test || strings.HasPrefix(f.pkg, "internal/platform/") || strings.HasPrefix(f.pkg, "internal/archtest") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				if slices.Contains(names, strings.ToLower(s)) {
					t.Errorf("%s: names the platform %q", f.name, s)
				}
			}
			return true
		})
	}
}

// TestTopLevel wants nothing else beside the front door.
func TestTopLevel(t *testing.T) {
	allowed := strings.Fields("assets cmd internal ui CHANGELOG.md FyneApp.toml LICENSE Makefile README.md go.mod go.sum")
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}

type file struct {
	name, pkg string
	test      bool
	syntax    *ast.File
}

func files(t *testing.T) []file {
	t.Helper()
	root := os.DirFS("../..")
	var all []file
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() && (base == "testdata" || len(base) > 1 && base[0] == '.') {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", name), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, file{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func find(pkg string) (int, bool) {
	for i, p := range plan {
		for _, pattern := range p.packages {
			if ok, _ := path.Match(pattern, pkg); ok {
				return i, true
			}
		}
	}
	return 0, false
}

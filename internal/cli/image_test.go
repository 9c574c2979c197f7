package cli

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one line of the Dockerfile, with those that continue it.
type instruction struct{ name, args string }

var continued = regexp.MustCompile(`\\\n\s*`)

// dockerfile reads the stages of the Dockerfile, each from its FROM on. scripts/imagetest builds and runs the image; these tests check
// what can be checked without that.
func dockerfile(t *testing.T) (stages [][]instruction) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(continued.ReplaceAllString(string(text), "")) {
		name, args, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name[0] == '#' {
			continue
		}
		if name == "FROM" {
			stages = append(stages, nil)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{name, args})
	}
	return stages
}

// last is an instruction of the image itself.
func last(t *testing.T, name string) string {
	t.Helper()
	stages := dockerfile(t)
	image := stages[len(stages)-1]
	i := slices.IndexFunc(image, func(in instruction) bool { return in.name == name })
	if i < 0 {
		t.Fatalf("the image has no %s", name)
	}
	return image[i].args
}

// execForm returns an instruction in the form that needs no shell, because the image has none.
func execForm(t *testing.T, text string) []string {
	t.Helper()
	var args []string
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return args
}

func TestImageStages(t *testing.T) {
	stages := dockerfile(t)
	if len(stages) != 2 || stages[1][0].args != "scratch" {
		t.Fatalf("want a stage that builds and one from scratch, got %v", stages)
	}
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	wants := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	if from := stages[0][0].args; from != "golang:"+wants+"-bookworm AS build" {
		t.Errorf("it is built FROM %s, and go.mod wants %s: a tag names the version and Debian's release", from, wants)
	}
}

func TestImageRuns(t *testing.T) {
	if user := last(t, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("USER %s: Kubernetes knows only of a number that it is not root", user)
	}
	if got := append(execForm(t, last(t, "ENTRYPOINT")), execForm(t, last(t, "CMD"))...); !slices.Equal(got, []string{"/roomring", "serve"}) {
		t.Errorf("it runs %q", got)
	}
	_, check, _ := strings.Cut(last(t, "HEALTHCHECK"), "CMD ")
	args := execForm(t, check)
	root := newRoot(noGames(t), Program{})
	root.SetOut(io.Discard)
	cmd, rest, err := root.Find(args[1:])
	if args[0] != "/roomring" || err != nil || cmd.Name() != "healthcheck" {
		t.Fatalf("HEALTHCHECK runs %q (%v)", args, err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("HEALTHCHECK: %v", err)
	}
	for env := range strings.FieldsSeq(last(t, "ENV")) {
		name, value, _ := strings.Cut(env, "=")
		if name != envName("data-dir") || value != strings.Trim(last(t, "VOLUME"), `[]"`) {
			t.Errorf("ENV %s: want the data folder to be the volume", env)
		}
	}
}

// TestImagePorts checks that the exposed ports are those on which the server listens by default.
func TestImagePorts(t *testing.T) {
	s := newSettings()
	var want []string
	for address, protocols := range map[string][]string{
		s.Listen: {""}, s.AdminListen: {""}, s.PeerListen: {""}, s.GossipListen: {"/tcp", "/udp"},
	} {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, protocol := range protocols {
			want = append(want, port+protocol)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(strings.Fields(last(t, "EXPOSE")))); !slices.Equal(got, want) {
		t.Errorf("EXPOSE %v, want %v", got, want)
	}
}

// TestImageContext checks that .dockerignore lets through every folder from which the binary is built, and that its version can be
// stamped.
func TestImageContext(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	through := strings.Fields(string(text))
	list, err := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "../../cmd/roomring").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(list)) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(pkg, "github.com/roomring/roomring/"), "/")
		if pkg == "github.com/roomring/roomring" {
			folder = "*.go"
		}
		if !slices.Contains(through, "!"+folder) {
			t.Errorf("the server is built from %s, which .dockerignore keeps from the build: add !%s", pkg, folder)
		}
	}
	var build strings.Builder
	for _, in := range dockerfile(t)[0] {
		build.WriteString(in.name + " " + in.args + "\n")
	}
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "-X github.com/roomring/roomring/internal/node.release=${VERSION}", "ARG VERSION\n"} {
		if !strings.Contains(build.String(), want) {
			t.Errorf("the build does without %q", want)
		}
	}
}

//go:build !race

package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// TestBrowser plays in real browsers, on real pages of a real server. In short mode it is one game.
func TestBrowser(t *testing.T) {
	tests := []struct {
		name string
		test func(*testing.T, *browser)
	}{
		{"chess", browserChess}, {"tour", browserTour}, {"network", browserNetwork}, {"kill", browserKill},
		{"dice", browserDice}, {"snakes", browserSnakes}, {"seat", browserSeat}, {"private", browserPrivate},
		{"rejected", browserRejected}, {"unrated", browserUnrated}, {"phone", browserPhone}, {"ends", browserEnds}, {"expired", browserExpired},
		{"haproxy", browserHAProxy}, {"nginx", browserNginx},
		{"path", browserPath}, {"nodes", browserNodes},
		{"admin", browserAdmin}, {"admin-token", browserAdminToken}, {"cluster", browserCluster}, {"drain", browserDrain},
	}
	if testing.Short() {
		tests = tests[:1]
	}
	shared := newBrowser(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, shared) })
	}
}

// inUse bounds how many tests use a browser at once: it has as many processes as there are tabs.
var inUse = make(chan struct{}, 2)

// programs are the names that Chromium goes by, the one without windows first: it needs two thirds of what the others do.
var programs = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// unwanted are parts of Chromium that cost more than the pages: each window has its address bar drawn by two web pages.
const unwanted = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,site-per-process,Translate"

// browser is a real Chromium, in which a test has people of its own.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts a Chromium with a profile of its own.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	home := t.TempDir()
	t.Cleanup(func() { // its processes may outlive the first of them for a moment, and still write
		testwait.Until(t, "Chromium leaves its folder alone", func() bool { return os.RemoveAll(home) == nil })
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-features", unwanted),
		chromedp.Flag("renderer-process-limit", "1"),     // a person's pages share a process, for each costs as much as a page
		chromedp.Flag("ignore-certificate-errors", true), // balancers have certificates that the tests made
		chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.WSURLReadTimeout(e2e.Ceiling),
		chromedp.Env("HOME="+home))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it logs events that it is too old for
	t.Cleanup(func() {
		defer stop()
		_ = chromedp.Cancel(ctx) // asks Chromium to end by itself; stop does not ask
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return &browser{t, ctx}
}

// on is the browser in the hands of a test, once fewer than two others have one.
func (b *browser) on(t *testing.T) *browser {
	t.Helper()
	inUse <- struct{}{}
	t.Cleanup(func() { <-inUse })
	return &browser{t, b.ctx}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("none of %s is installed: run scripts/setup", strings.Join(programs, ", "))
	return ""
}

// newPages starts a server as people meet it: without the games that are there for tests.
func newPages(t *testing.T) *e2e.Server {
	t.Helper()
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	s.Env = []string{"ROOMRING_TEST_GAMES="}
	return s.Start()
}

// tab is one page of one person's.
type tab struct {
	t       *testing.T
	name    string
	ctx     context.Context
	profile cdp.BrowserContextID // cookies and storage

	mu      sync.Mutex
	trouble []string
	frames  []string // what came over its sockets
	lossy   bool     // the test cuts or stops something, or asks for what is not there
}

// person opens a tab with storage of its own: another person's browser.
func (b *browser) person(name string) *tab {
	b.t.Helper()
	profile, err := target.CreateBrowserContext().Do(b.executor())
	if err != nil {
		b.t.Fatalf("a profile for %s: %v", name, err)
	}
	b.t.Cleanup(func() { _ = target.DisposeBrowserContext(profile).Do(b.executor()) }) // its tabs are closed already
	return b.open(profile, name)
}

// second opens another tab of the same person.
func (b *browser) second(of *tab) *tab {
	b.t.Helper()
	return b.open(of.profile, of.name+"'s second tab")
}

// executor speaks to the browser itself instead of a page.
func (b *browser) executor() context.Context {
	return cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
}

// watcher sees to it that what the page's policy forbids is heard of. It has games draw ten frames a second, since Chromium draws
// them without a graphics card.
const watcher = `addEventListener("securitypolicyviolation", (e) => console.error("policy violation: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 100);
cancelAnimationFrame = clearTimeout`

// open makes a tab in a window of its own, so that none is hidden behind another.
func (b *browser) open(profile cdp.BrowserContextID, name string) *tab {
	b.t.Helper()
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(b.executor())
	if err != nil {
		b.t.Fatalf("a tab for %s: %v", name, err)
	}
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	b.t.Cleanup(stop)
	p := &tab{t: b.t, name: name, ctx: ctx, profile: profile}
	chromedp.ListenTarget(ctx, p.hear)
	p.run(log.Enable(), network.Enable(), emulation.SetFocusEmulationEnabled(true),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(watcher).Do(ctx)
			return err
		}))
	b.t.Cleanup(p.check)
	return p
}

// hear notes what the browser says of the page.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.trouble = append(p.trouble, "uncaught: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			p.trouble = append(p.trouble, "console."+string(e.Type)+": "+args(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && (e.Entry.Source != log.SourceNetwork || !p.lossy) {
			p.trouble = append(p.trouble, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventWebSocketFrameReceived:
		p.frames = append(p.frames, e.Response.PayloadData)
	}
}

func args(list []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s %s ", o.Value, o.Description)
	}
	return b.String()
}

// mayLose says that from now on requests of this tab may fail: the test sees to that.
func (p *tab) mayLose() *tab {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lossy = true
	return p
}

// check ends a tab's life: nothing may have gone wrong on its page.
func (p *tab) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, trouble := range p.trouble {
		p.t.Errorf("%s: %s", p.name, trouble)
	}
}

// heard returns what came over the tab's sockets so far.
func (p *tab) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.frames...)
}

func (p *tab) try(actions ...chromedp.Action) error {
	if chromedp.FromContext(p.ctx).Target == nil {
		return chromedp.Run(p.ctx, actions...) // makes the tab, which lives as long as this context
	}
	ctx, cancel := context.WithTimeout(p.ctx, e2e.Ceiling)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := p.try(actions...); err != nil {
		p.fail("%v", err)
	}
}

// fail ends the test and tells what the page shows.
func (p *tab) fail(format string, args ...any) {
	p.t.Helper()
	var text string
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate(`location.href + "\n" + document.body?.innerText`, &text))
	if shot, bad := p.picture(ctx); bad == nil {
		path := filepath.Join(p.t.ArtifactDir(), "failed-"+strings.ReplaceAll(p.name, " ", "-")+".png")
		_ = os.WriteFile(path, shot, 0o644) // the test fails anyway
	}
	p.t.Fatalf("%s: %s\nthe page shows (%v):\n%s", p.name, fmt.Sprintf(format, args...), err, text)
}

func (p *tab) picture(ctx context.Context) (shot []byte, err error) {
	return shot, chromedp.Run(ctx, chromedp.CaptureScreenshot(&shot))
}

func (p *tab) visit(url string) *tab {
	p.t.Helper()
	p.run(chromedp.Navigate(url))
	return p
}

// click presses and lets go the mouse in the middle of an element, once it can be seen.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.sees(selector)
	var at struct{ X, Y float64 }
	p.value(fmt.Sprintf(middle, quote(selector)), &at)
	if err := p.try(chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		p.fail("clicking %s: %v", selector, err)
	}
}

// middle is where an element is, once that is inside of the window.
const middle = `((e) => {
	e.scrollIntoView({block: "nearest", inline: "nearest", behavior: "instant"});
	const {x, y, width, height} = e.getBoundingClientRect();
	return {x: x + width / 2, y: y + height / 2};
})(document.querySelector(%s))`

// write types into a field in place of what it holds.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.click(selector)
	if err := p.try(chromedp.Evaluate("document.activeElement.select()", nil), chromedp.KeyEvent(text)); err != nil {
		p.fail("writing into %s: %v", selector, err)
	}
}

// until waits for a JavaScript expression to be true; while a page loads, it is not. The page itself looks again and again, for
// each question from here would cost three processes some work.
func (p *tab) until(expression string) {
	p.t.Helper()
	var last error
	for end := time.Now().Add(e2e.Ceiling); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		var yes bool
		if last = p.try(chromedp.Evaluate(fmt.Sprintf(becomes, expression), &yes, settled)); last == nil && yes {
			return
		}
		if errors.Is(last, context.Canceled) {
			break
		}
	}
	p.fail("it is still not so that %s (%v)", expression, last)
}

// becomes looks every 25 ms whether an expression is true, for at most a second.
const becomes = `new Promise((done, failed) => {
	const last = performance.now() + 1000;
	const look = () => {
		try {
			if (%s) return done(true);
		} catch (error) {
			return failed(error);
		}
		if (performance.now() > last) return done(false);
		setTimeout(look, 25);
	};
	look();
})`

// value evaluates an expression.
func (p *tab) value(expression string, into any) {
	p.t.Helper()
	if err := p.try(chromedp.Evaluate(expression, into)); err != nil {
		p.fail("%s: %v", expression, err)
	}
}

func (p *tab) text(selector string) (text string) {
	p.t.Helper()
	p.sees(selector)
	p.value(fmt.Sprintf("document.querySelector(%s).textContent", quote(selector)), &text)
	return text
}

func (p *tab) attribute(selector, name string) (text string) {
	p.t.Helper()
	p.sees(selector)
	p.value(fmt.Sprintf(`document.querySelector(%s).getAttribute(%s) ?? ""`, quote(selector), quote(name)), &text)
	return text
}

func (p *tab) count(selector string) (n int) {
	p.t.Helper()
	p.value(fmt.Sprintf("document.querySelectorAll(%s).length", quote(selector)), &n)
	return n
}

// sees waits until an element is on the page and visible.
func (p *tab) sees(selector string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%s)?.checkVisibility()", quote(selector)))
}

// reads waits until an element's text holds words.
func (p *tab) reads(selector, words string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%s)?.textContent.includes(%s)", quote(selector), quote(words)))
}

// room is the id in the page's address, once it is a table's.
func (p *tab) room() string {
	p.t.Helper()
	p.until(`/^(\/games\/ring)?\/play\//.test(location.pathname)`)
	var path string
	p.value("location.pathname", &path)
	_, id, _ := strings.Cut(path, "/play/")
	return id
}

// live waits until the page says that it is connected.
func (p *tab) live() *tab {
	p.t.Helper()
	p.sees(testid("connection", `[data-state="open"]`))
	return p
}

// player is the id of who plays in this tab.
func (p *tab) player() (id string) {
	p.t.Helper()
	p.value(`((key) => JSON.parse(sessionStorage.getItem(key) ?? localStorage.getItem(key)).player)("roomring.guest" + (location.pathname.startsWith("/games/ring/") ? "/games/ring" : ""))`, &id)
	return id
}

func testid(id string, more ...string) string {
	return `[data-testid="` + id + `"]` + strings.Join(more, "")
}

func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be marshalled
	}
	return string(raw)
}

// offline lets the browser know that it has no network, or has one again.
func (p *tab) offline(cut bool) {
	p.t.Helper()
	p.run(network.OverrideNetworkState(cut, 0, -1, -1))
}

// Lint runs the checks of staticcheck, go vet and go fix over packages that it loads once. Its flags are
// staticcheck's.
package main

import (
	"go/ast"
	"os"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/suite/fix"
	"golang.org/x/tools/go/analysis/suite/vet"
	"honnef.co/go/tools/lintcmd"
	"honnef.co/go/tools/lintcmd/version"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"
	"honnef.co/go/tools/unused"
)

func main() {
	cmd := lintcmd.NewCommand("lint")
	cmd.SetVersion(version.Version, version.MachineVersion)
	cmd.ParseFlags(os.Args[1:])
	cmd.AddAnalyzers(simple.Analyzers...)
	cmd.AddAnalyzers(staticcheck.Analyzers...)
	cmd.AddAnalyzers(stylecheck.Analyzers...)
	cmd.AddAnalyzers(unused.Analyzer)
	cmd.AddBareAnalyzers(goAnalyzers()...)
	cmd.Run()
}

// goAnalyzers are those of go vet and go fix, without their findings in generated files. They read files through the
// pass, which the passes of staticcheck's command cannot do.
func goAnalyzers() []*analysis.Analyzer {
	all := slices.Clone(vet.Suite)
	for _, a := range fix.Suite {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	for _, a := range all {
		run := a.Run
		a.Run = func(p *analysis.Pass) (any, error) {
			p.ReadFile = os.ReadFile
			report := p.Report
			p.Report = func(d analysis.Diagnostic) {
				if !generated(p, d) {
					report(d)
				}
			}
			return run(p)
		}
	}
	return all
}

func generated(p *analysis.Pass, d analysis.Diagnostic) bool {
	return slices.ContainsFunc(p.Files, func(f *ast.File) bool {
		return f.FileStart <= d.Pos && d.Pos < f.FileEnd && ast.IsGenerated(f)
	})
}

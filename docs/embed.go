// Package docs holds the pages of the documentation, so that programs can show them.
package docs

import "embed"

// Pages are the pages in Markdown, openapi.yaml, and llms.txt, which lists them for language models (llmstxt.org).
//
//go:embed *.md decisions games openapi.yaml llms.txt
var Pages embed.FS

package main

import (
	"net/url"

	"github.com/corazawaf/libinjection-go"
)

// judgeByLibinjection decodes once, as a server does before libinjection sees a parameter.
func judgeByLibinjection(row row) (string, *float64) {
	text := row.Text
	if decoded, err := url.QueryUnescape(text); err == nil {
		text = decoded
	}
	if isSQL, _ := libinjection.IsSQLi(text); isSQL {
		return "sql_injection", nil
	}
	if libinjection.IsXSS(text) {
		return "xss", nil
	}
	return "benign", nil
}

package main

import (
	"fmt"
	"net/url"
	"strings"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/types"
)

// Tags of the Core Rule Set by the class of attack that they stand for.
var classOfTag = map[string]string{
	"attack-sqli": "sql_injection",
	"attack-xss":  "xss",
	"attack-rce":  "command_injection",
	"attack-lfi":  "path_traversal",
}

// Anomaly points of a match by its severity, as crs-setup.conf has them.
var pointsOfSeverity = map[types.RuleSeverity]float64{
	types.RuleSeverityCritical: 5,
	types.RuleSeverityError:    4,
	types.RuleSeverityWarning:  3,
	types.RuleSeverityNotice:   2,
}

// Anomaly score at which the Core Rule Set blocks a request by default.
const blockedAt = 5

func newCorazaJudge(paranoia int) (judge, error) {
	directives := fmt.Sprintf(`
Include @coraza.conf-recommended
Include @crs-setup.conf.example
SecAction "id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=%d"
SecRuleEngine DetectionOnly
SecAuditEngine Off
Include @owasp_crs/*.conf
`, paranoia)
	config := coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives)
	waf, err := coraza.NewWAF(config)
	if err != nil {
		return nil, err
	}
	return func(row row) (string, *float64) { return inspect(waf, row) }, nil
}

// inspect sends the text as the part of a request that its kind names, as a client would write it.
func inspect(waf coraza.WAF, row row) (string, *float64) {
	tx := waf.NewTransaction()
	defer tx.Close()
	tx.ProcessConnection("192.0.2.1", 40000, "192.0.2.2", 80)
	sendRequest(tx, row)
	return verdict(tx.MatchedRules())
}

func sendRequest(tx types.Transaction, row row) {
	uri, method := requestLine(row)
	tx.ProcessURI(uri, method, "HTTP/1.1")
	for _, header := range [][2]string{
		{"Host", "www.example.com"},
		{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
		{"Accept", "text/html,*/*;q=0.8"},
	} {
		tx.AddRequestHeader(header[0], header[1])
	}
	body := ""
	switch row.Kind {
	case "header":
		tx.AddRequestHeader("Referer", row.Text)
	case "cookie":
		tx.AddRequestHeader("Cookie", cookie(row.Text))
	case "body":
		body = "q=" + parameter(row.Text)
		tx.AddRequestHeader("Content-Type", "application/x-www-form-urlencoded")
		tx.AddRequestHeader("Content-Length", fmt.Sprint(len(body)))
	}
	tx.ProcessRequestHeaders()
	if body != "" {
		_, _, _ = tx.WriteRequestBody([]byte(body))
	}
	_, _ = tx.ProcessRequestBody()
}

func requestLine(row row) (uri, method string) {
	switch row.Kind {
	case "header", "cookie":
		return "/", "GET"
	case "body":
		return "/", "POST"
	case "path":
		return "/" + strings.TrimPrefix(written(row.Text), "/"), "GET"
	case "request":
		return "/?" + strings.TrimPrefix(written(row.Text), "?"), "GET"
	}
	return "/?q=" + parameter(row.Text), "GET"
}

// parameter is the value of a form's field: as it is where it was encoded before, so that the
// engine decodes it once in any case.
func parameter(text string) string {
	if strings.Contains(text, "%") && !strings.ContainsAny(text, " \t\r\n&#;\"'<>") {
		if _, err := url.QueryUnescape(text); err == nil {
			return text
		}
	}
	return url.QueryEscape(text)
}

// written escapes what cannot stand in a request line and leaves the rest as it is.
func written(text string) string {
	var escaped strings.Builder
	for _, b := range []byte(text) {
		if b <= ' ' || b >= 0x7f {
			fmt.Fprintf(&escaped, "%%%02X", b)
		} else {
			escaped.WriteByte(b)
		}
	}
	return escaped.String()
}

func cookie(text string) string {
	if strings.Contains(text, "=") {
		return text
	}
	return "value=" + text
}

// verdict adds up the points of the matches; the class is the one with most of them.
func verdict(matches []types.MatchedRule) (string, *float64) {
	score, points := 0.0, map[string]float64{}
	for _, match := range matches {
		rule := match.Rule()
		// 949 and above evaluate the score; below 911 rules only set up.
		if rule.ID() < 911000 || rule.ID() >= 949000 {
			continue
		}
		matched := pointsOfSeverity[rule.Severity()]
		score += matched
		for _, tag := range rule.Tags() {
			if class, known := classOfTag[tag]; known {
				points[class] += matched
			}
		}
	}
	if score < blockedAt {
		return "benign", &score
	}
	class, most := "other_attack", 0.0
	for _, name := range []string{"sql_injection", "xss", "command_injection", "path_traversal"} {
		if points[name] > most {
			class, most = name, points[name]
		}
	}
	return class, &score
}

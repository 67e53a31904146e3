package main

import (
	"encoding/json"
	"fmt"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/types"
)

const engineDirectives = `
SecRuleEngine On
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:2,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
`

type request struct {
	URL     string            `json:"url"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
}

func answerByCoraza() answer {
	var waf coraza.WAF
	return func(line []byte) (any, error) {
		if waf == nil {
			return nil, loadRules(line, &waf)
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			return nil, err
		}
		return map[string]int{"rule": denyingRule(waf, asked)}, nil
	}
}

func loadRules(line []byte, waf *coraza.WAF) error {
	var given struct {
		Directives string `json:"directives"`
	}
	if err := json.Unmarshal(line, &given); err != nil {
		return err
	}
	config := coraza.NewWAFConfig().WithDirectives(engineDirectives + given.Directives)
	loaded, err := coraza.NewWAF(config)
	*waf = loaded
	return err
}

func denyingRule(waf coraza.WAF, asked request) int {
	tx := waf.NewTransaction()
	defer tx.Close()
	tx.ProcessConnection("192.0.2.1", 40000, "192.0.2.2", 80)
	send(tx, asked)
	if interruption := tx.Interruption(); interruption != nil {
		return interruption.RuleID
	}
	return 0
}

func send(tx types.Transaction, asked request) {
	method := "GET"
	if asked.Body != "" {
		method = "POST"
	}
	tx.ProcessURI(asked.URL, method, "HTTP/1.1")
	for name, value := range asked.Headers {
		tx.AddRequestHeader(name, value)
	}
	if asked.Body != "" {
		tx.AddRequestHeader("Content-Length", fmt.Sprint(len(asked.Body)))
	}
	tx.ProcessRequestHeaders()
	if asked.Body != "" {
		_, _, _ = tx.WriteRequestBody([]byte(asked.Body))
	}
	_, _ = tx.ProcessRequestBody()
}

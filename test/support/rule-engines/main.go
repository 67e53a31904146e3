// Command rule-engines searches texts with RE2, or inspects requests with Coraza.
//
// Both read JSON lines and answer one JSON line for each but the first. RE2: {"texts": [...]}, then
// {"pattern"} -> {"matched": [indices], "cpu_us"}. Coraza: {"directives"}, then a request
// {"url", "body", "headers"} -> {"rule": id of the rule that denied it, or 0}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

const lineBytesMax = 64 << 20

// answer says what to write for a line; nil = nothing.
type answer func(line []byte) (any, error)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	engines := map[string]func() answer{"re2": answerByRE2, "coraza": answerByCoraza}
	if len(os.Args) != 2 || engines[os.Args[1]] == nil {
		return errors.New("usage: rule-engines re2|coraza")
	}
	return answerLines(engines[os.Args[1]]())
}

func answerLines(answer answer) error {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 0, 1<<20), lineBytesMax)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		written, err := answer(input.Bytes())
		if err != nil {
			return err
		}
		if written == nil {
			continue
		}
		if err := output.Encode(written); err != nil {
			return err
		}
	}
	return input.Err()
}

// Command waf judges texts with Coraza and the OWASP Core Rule Set, or with libinjection.
//
// Input: JSON lines {"text", "kind"}. Output: as many JSON lines {"class", "score", "us"}: the
// class whose rules matched ("benign" where none did), null for engines without a score, and
// microseconds on the wall clock.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

const lineBytesMax = 16 << 20

type row struct {
	Text string `json:"text"`
	Kind string `json:"kind"`
}

type judgement struct {
	Class string   `json:"class"`
	Score *float64 `json:"score"`
	Us    float64  `json:"us"`
}

// judge says which class a text is and, where the engine has one, a score: higher is worse.
type judge func(row) (class string, score *float64)

func main() {
	engine := flag.String("engine", "coraza", "coraza or libinjection")
	paranoia := flag.Int("paranoia", 1, "paranoia level of the Core Rule Set, 1 to 4")
	flag.Parse()
	judge, err := newJudge(*engine, *paranoia)
	if err == nil {
		err = judgeLines(judge)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newJudge(engine string, paranoia int) (judge, error) {
	if engine == "libinjection" {
		return judgeByLibinjection, nil
	}
	return newCorazaJudge(paranoia)
}

func judgeLines(judge judge) error {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 0, 1<<20), lineBytesMax)
	buffered := bufio.NewWriter(os.Stdout)
	output := json.NewEncoder(buffered)
	for input.Scan() {
		var row row
		if err := json.Unmarshal(input.Bytes(), &row); err != nil {
			return err
		}
		began := time.Now()
		class, score := judge(row)
		us := float64(time.Since(began).Nanoseconds()) / 1000
		if err := output.Encode(judgement{class, score, us}); err != nil {
			return err
		}
	}
	if err := input.Err(); err != nil {
		return err
	}
	return buffered.Flush()
}

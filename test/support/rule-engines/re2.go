package main

import (
	"encoding/json"
	"regexp"
	"time"
)

type search struct {
	Texts   []string `json:"texts"`
	Pattern string   `json:"pattern"`
}

type found struct {
	Matched []int   `json:"matched"`
	Us      float64 `json:"us"`
}

func answerByRE2() answer {
	var texts []string
	return func(line []byte) (any, error) {
		var asked search
		if err := json.Unmarshal(line, &asked); err != nil {
			return nil, err
		}
		if asked.Texts != nil {
			texts = asked.Texts
			return nil, nil
		}
		return searchAll(asked.Pattern, texts)
	}
}

func searchAll(pattern string, texts []string) (any, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	answer := found{Matched: []int{}}
	began := time.Now()
	for index, text := range texts {
		if compiled.MatchString(text) {
			answer.Matched = append(answer.Matched, index)
		}
	}
	answer.Us = float64(time.Since(began).Nanoseconds()) / 1e3
	return answer, nil
}

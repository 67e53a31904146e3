// The least that does the work in Go: a loop over fetches with franz-go.
//
// Run as: franz BROKERS COUNT GROUP INPUT OUTPUT DEAD.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

type event struct {
	EventID   string `json:"event_id"`
	SessionID string `json:"session_id"`
	Payload   string `json:"payload"`
	SHA256    string `json:"sha256"`
}

type routed struct {
	EventID   string  `json:"event_id"`
	SessionID string  `json:"session_id"`
	Score     float64 `json:"score"`
}

var marks [256]int

func main() {
	for _, mark := range []byte("'\"<>;|&`$()") {
		marks[mark] = 1
	}
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Args[1], ",")...),
		kgo.ConsumerGroup(os.Args[3]),
		kgo.ConsumeTopics(os.Args[4]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.DisableAutoCommit(),
	)
	check(err)
	defer client.Close()
	ctx := context.Background()
	for done := 0; done < count; {
		fetches := client.PollFetches(ctx)
		check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			done++
			client.Produce(ctx, route(record, os.Args[5], os.Args[6]), func(_ *kgo.Record, err error) { check(err) })
		})
		check(client.Flush(ctx))
		check(client.CommitUncommittedOffsets(ctx))
	}
}

func route(record *kgo.Record, output, dead string) *kgo.Record {
	var in event
	if json.Unmarshal(record.Value, &in) != nil || !verified(in) {
		return &kgo.Record{Topic: dead, Key: record.Key, Value: record.Value}
	}
	found := 0
	for i := 0; i < len(in.Payload); i++ {
		found += marks[in.Payload[i]]
	}
	value, err := json.Marshal(routed{in.EventID, in.SessionID, float64(found) / float64(len(in.Payload))})
	check(err)
	return &kgo.Record{Topic: output, Key: []byte(in.SessionID), Value: value}
}

func verified(in event) bool {
	digest := sha256.Sum256([]byte(in.Payload))
	return hex.EncodeToString(digest[:]) == in.SHA256
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

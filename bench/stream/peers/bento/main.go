// Bento on the work: its own Kafka input and output, one mapping, batches of up to 1,000.
//
// Run as: bento BROKERS COUNT GROUP INPUT OUTPUT DEAD.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	_ "github.com/warpstreamlabs/bento/public/components/kafka"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	"github.com/warpstreamlabs/bento/public/service"
)

const config = `
input:
  read_until:
    check: count("records") >= COUNT
    input:
      kafka_franz:
        seed_brokers: [ BROKERS ]
        topics: [ INPUT ]
        consumer_group: GROUP
        start_from_oldest: true
        checkpoint_limit: 4096
        commit_period: 1s
pipeline:
  threads: 1
  processors:
    - mapping: |
        let doc = content().parse_json().catch({})
        let payload = $doc.payload.or("")
        let routed = $payload != "" && $payload.hash("sha256").encode("hex") == $doc.sha256
        let others = $payload.replace_all_many([ "'", "", "\"", "", "<", "", ">", "", ";", "", "|", "", "&", "", "\u0060", "", "$", "", "(", "", ")", "" ])
        meta topic = if $routed { "OUTPUT" } else { "DEAD" }
        meta key = if $routed { $doc.session_id } else { @kafka_key }
        root = if $routed { {
          "event_id": $doc.event_id,
          "session_id": $doc.session_id,
          "score": ($payload.length() - $others.length()) / $payload.length()
        } } else { content() }
output:
  kafka_franz:
    seed_brokers: [ BROKERS ]
    topic: ${! @topic }
    key: ${! @key }
    compression: none
    max_in_flight: 64
    batching:
      count: 1000
      period: 100ms
logger:
  level: WARN
`

func main() {
	names := []string{"BROKERS", "COUNT", "GROUP", "INPUT", "OUTPUT", "DEAD"}
	pairs := []string{}
	for at, name := range names {
		pairs = append(pairs, name, os.Args[at+1])
	}
	builder := service.NewStreamBuilder()
	check(builder.SetYAML(strings.NewReplacer(pairs...).Replace(config)))
	stream, err := builder.Build()
	check(err)
	check(stream.Run(context.Background()))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

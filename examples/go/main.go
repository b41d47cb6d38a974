// Prints each transition of courier.transition.v1 as one line, from the beginning of the topic, until it is stopped; the next run of
// the same group goes on where this one ended.
//
// A transition is (vendor, carrier, tracking_number, epoch, transition_id, occurred_at). A program that stores transitions keeps the
// greatest version of each, and removes it when that version is RETRACTED.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// Transition has the fields that are printed; the others of the schema are skipped.
type Transition struct {
	OccurredAt     time.Time `avro:"occurred_at"`
	Carrier        string    `avro:"carrier"`
	TrackingNumber string    `avro:"tracking_number"`
	Op             string    `avro:"op"`
	FromStatus     string    `avro:"from_status"`
	ToStatus       string    `avro:"to_status"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Print("usage: print-transitions BROKERS REGISTRY_URL GROUP")
		os.Exit(2)
	}
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(stopped, os.Args[1], os.Args[2], os.Args[3]); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, brokers, registryURL, group string) error {
	registry, err := sr.NewClient(sr.URLs(registryURL))
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics("courier.transition.v1"),
		// The topic is written in transactions. Without this, records of aborted ones would be read, too, and they are not true.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Also of partitions that are added later.
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// Committed below, when the records have been printed: after a crash some come again, and none is missing.
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
	)
	if err != nil {
		return err
	}
	// Leaves the group, so that another member takes over at once.
	defer client.CloseAllowingRebalance()

	schemas := schemas{registry: registry, byID: map[int]avro.Schema{}}
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for record := range fetches.RecordsAll() {
			var transition Transition
			if err := schemas.decode(ctx, record.Value, &transition); err != nil {
				return fmt.Errorf("%s/%d at offset %d: %w", record.Topic, record.Partition, record.Offset, err)
			}
			fmt.Println(
				transition.OccurredAt.UTC().Format(time.RFC3339Nano), transition.Carrier, transition.TrackingNumber,
				transition.Op, transition.FromStatus, "->", transition.ToStatus)
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
		client.AllowRebalance()
	}
}

// schemas are those that records were written with, by the id that each record begins with.
type schemas struct {
	registry *sr.Client
	byID     map[int]avro.Schema
}

// decode reads a value in the Confluent wire format by the schema it was written with; new fields do no harm.
func (s schemas) decode(ctx context.Context, value []byte, into any) error {
	id, datum, err := new(sr.ConfluentHeader).DecodeID(value)
	if err != nil {
		return err
	}
	schema, known := s.byID[id]
	if !known {
		text, err := s.registry.SchemaByID(ctx, id)
		if err != nil {
			return fmt.Errorf("schema %d: %w", id, err)
		}
		// A cache of its own, because all versions of a schema have the same name.
		schema, err = avro.ParseBytesWithCache([]byte(text.Schema), "", &avro.SchemaCache{})
		if err != nil {
			return fmt.Errorf("schema %d: %w", id, err)
		}
		s.byID[id] = schema
	}
	return avro.Unmarshal(schema, datum, into)
}

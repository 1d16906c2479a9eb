package commands

import (
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
)

// logger is the log that the options ask for. Engines read the file and the
// standard error of a command for the cause of its failure.
type logger struct {
	*logrus.Logger
	file bool // a file, not standard error
}

func newLogger(path, format string, debug bool, stderr io.Writer) (*logger, error) {
	l := &logger{Logger: logrus.New()}
	l.SetOutput(stderr)
	switch format {
	case "text":
		l.SetFormatter(&logrus.TextFormatter{DisableColors: true})
	case "json":
		l.SetFormatter(&logrus.JSONFormatter{TimestampFormat: "2006-01-02T15:04:05.000000000Z07:00"})
	default:
		return nil, fmt.Errorf("invalid value %q for --log-format: text or json", format)
	}
	if debug {
		l.SetLevel(logrus.DebugLevel)
	}
	if path == "" {
		return l, nil
	}
	const mode = 0o644
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, mode)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l.SetOutput(f)
	l.file = true
	return l, nil
}

// fail writes the last word: one error record, and with a log file the bare
// message on standard error as well.
func (l *logger) fail(msg string, stderr io.Writer) {
	l.Error(msg)
	if l.file {
		fmt.Fprintln(stderr, msg)
	}
}

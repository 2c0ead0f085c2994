package main

import (
	"fmt"
	"io"
	"os"

	"evens/reconcile/statementfile"
)

type mappingCommand struct {
	File     string `arg:"" help:"A statement file (.csv, .csv.gz, .zip, .xlsx); - for standard input."`
	Provider string `help:"Whose words the file has." enum:"${providers}" default:"cashier"`
}

// Run prints a mapping for the file, with a question for each thing that the file does not tell.
func (c mappingCommand) Run(std streams) error {
	draft, err := c.propose(std)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	_, err = io.WriteString(std.out, draft)
	return err
}

func (c mappingCommand) propose(std streams) (string, error) {
	if c.File == "-" {
		return statementfile.Propose(std.in, c.Provider)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return statementfile.Propose(file, c.Provider)
}

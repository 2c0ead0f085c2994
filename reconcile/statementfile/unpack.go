package statementfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// packed is a file as it came: what is to be read of it, or the spreadsheet that it is.
type packed struct {
	text  *bufio.Reader // of a plain or unpacked file
	sheet io.Reader     // of a spreadsheet
	close func() error
}

const (
	readAhead = 256 << 10
	// largestArchive bounds what is kept on disk of an archive that comes from a pipe.
	largestArchive = 1 << 30
)

// unpack looks at the first bytes: a file's name proves nothing.
func unpack(r io.Reader) (packed, error) {
	buffered := bufio.NewReaderSize(r, readAhead)
	head, err := buffered.Peek(8)
	if len(head) == 0 {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return packed{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return packed{}, fmt.Errorf("unpack: %w", err)
		}
		return packed{text: bufio.NewReaderSize(unzipped, readAhead), close: unzipped.Close}, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return unzip(buffered)
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return packed{}, errors.New("this is a spreadsheet of the old kind (.xls): save it as .xlsx or .csv")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return packed{}, errors.New("this is a PDF: ask for the statement as .csv or .xlsx")
	}
	return packed{text: buffered, close: func() error { return nil }}, nil
}

// unzip opens the one file of a zip archive, or finds that the archive is a spreadsheet. An archive's
// list of files stands at its end, so it is put on disk first.
func unzip(r io.Reader) (_ packed, err error) {
	spool, err := os.CreateTemp("", "evens-statement-*.zip")
	if err != nil {
		return packed{}, fmt.Errorf("unpack: %w", err)
	}
	remove := func() error { return errors.Join(spool.Close(), os.Remove(spool.Name())) }
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	size, err := io.Copy(spool, io.LimitReader(r, largestArchive+1))
	if err == nil && size > largestArchive {
		err = fmt.Errorf("an archive of more than %d MiB", largestArchive>>20)
	}
	if err != nil {
		return packed{}, fmt.Errorf("unpack: %w", err)
	}
	archive, err := zip.NewReader(spool, size)
	if err != nil {
		return packed{}, fmt.Errorf("unpack: %w", err)
	}
	var inside []*zip.File
	for _, file := range archive.File {
		if file.Name == "xl/workbook.xml" {
			if _, err := spool.Seek(0, io.SeekStart); err != nil {
				return packed{}, fmt.Errorf("unpack: %w", err)
			}
			return packed{sheet: spool, close: remove}, nil
		}
		if !file.FileInfo().IsDir() && !strings.HasPrefix(file.Name, "__MACOSX/") && !strings.HasPrefix(path.Base(file.Name), ".") {
			inside = append(inside, file)
		}
	}
	if len(inside) != 1 {
		return packed{}, fmt.Errorf("a zip with one file in it is read, this one has %d", len(inside))
	}
	content, err := inside[0].Open()
	if err != nil {
		return packed{}, fmt.Errorf("unpack %s: %w", inside[0].Name, err)
	}
	return packed{text: bufio.NewReaderSize(content, readAhead), close: func() error { return errors.Join(content.Close(), remove()) }}, nil
}

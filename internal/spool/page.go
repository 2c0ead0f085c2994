package spool

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// page is a file that this process appends to. The spool's lock is held around write and close.
type page struct {
	file *os.File
	size int64

	mu      sync.Mutex // guards what follows; held while the file is brought to the disk
	written int64      // lines
	synced  int64      // of them, on the disk
	closed  bool
	err     error // of close
}

// write appends a line and answers its number. What a failed write has left is cut off.
func (p *page) write(line []byte) (int64, error) {
	if _, err := p.file.Write(line); err != nil {
		return 0, errors.Join(err, p.file.Truncate(p.size))
	}
	p.size += int64(len(line))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written++
	return p.written, nil
}

// sync has a line on the disk. Who comes while another's are brought there shares the next turn.
func (p *page) sync(number int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.synced >= number {
		return nil
	}
	if p.closed {
		return p.err
	}
	if err := p.file.Sync(); err != nil {
		return err
	}
	p.synced = p.written
	return nil
}

// close brings all lines to the disk and lets the file go.
func (p *page) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.file.Sync()
	if err == nil {
		p.synced = p.written
	}
	p.closed, p.err = true, err
	return errors.Join(err, p.file.Close())
}

// lock takes a file for this process, until it closes it or ends.
func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// still reports whether a path leads to the file: it may have been removed before the lock was had.
func still(file *os.File, path string) bool {
	a, errA := file.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// syncDir has a folder's names on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the spool's folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

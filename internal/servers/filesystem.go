package servers

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// errNetwork refuses a folder on a file system of which other machines may have the same folder: whether a lock there
// keeps them out, and whether what was synced is on a disk, depends on settings that nobody sees from here.
var errNetwork = errors.New("lies on a network file system, where a lock does not keep another machine out: " +
	"choose a folder on a local disk with EVENS_DATA_DIR, or set EVENS_DATABASE_URL and EVENS_REDIS_URL")

// lockTrust is what a file system's locks are worth.
type lockTrust int

const (
	local   lockTrust = iota
	network           // other machines may have it: refused
	doubted           // nobody tells; containers and virtual machines have their disks this way: a line of warning
)

// networkNames are file systems, by the name that the mount table has for them, that several machines share.
var networkNames = []string{
	"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "lustre", "gpfs", "beegfs", "gfs2", "ocfs2",
	"orangefs", "webdav", "afpfs",
}

// networkFuse are parts of the names of those that a program serves (fuse.NAME).
var networkFuse = []string{
	"sshfs", "gluster", "ceph", "s3", "rclone", "davfs", "juicefs", "moosefs", "mfs", "gcsfuse", "blobfuse", "seaweed", "nfs", "smb", "cifs",
	"hdfs", "curlftpfs", "dokan", "alluxio", "lizardfs",
}

// trustIn judges a file system by its name in the mount table.
func trustIn(name string) lockTrust {
	name = strings.ToLower(name)
	for _, known := range networkNames {
		if name == known {
			return network
		}
	}
	served, fuse := strings.CutPrefix(name, "fuse.")
	for _, known := range networkFuse {
		if fuse && strings.Contains(served, known) {
			return network
		}
	}
	switch name {
	case "9p", "fuse", "virtiofs", "vboxsf", "prl_fs", "vmhgfs":
		return doubted
	}
	if fuse && name != "fuseblk" {
		return doubted
	}
	return local
}

// checkFileSystem refuses a folder on a network file system, and warns where nobody tells.
func checkFileSystem(path string, nameOf func(string) string, log *slog.Logger) error {
	name := nameOf(path)
	switch trustIn(name) {
	case network:
		return fmt.Errorf("%s (%s) %w", path, name, errNetwork)
	case doubted:
		log.Warn("nobody tells whether locks count on this file system: let no second machine use the folder", "dir", path, "file_system", name)
	case local:
	}
	return nil
}

// mountedAs finds the file system of a folder in the text of /proc/self/mountinfo by its device, `major:minor`. The
// last mount of a device counts; the mount table of a namespace has every device that can be reached in it.
func mountedAs(mountinfo, device string) string {
	name := ""
	for line := range strings.Lines(mountinfo) {
		// id parent major:minor root mount-point options [optional…] - type source super-options
		mount, what, found := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if found && len(fields) > 2 && fields[2] == device {
			name, _, _ = strings.Cut(strings.TrimSpace(what), " ")
		}
	}
	return name
}

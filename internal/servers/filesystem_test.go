package servers

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestTrustInFileSystems(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]lockTrust{
		"ext4": local, "xfs": local, "btrfs": local, "overlay": local, "tmpfs": local, "zfs": local, "fuseblk": local, "": local,
		"nfs": network, "nfs4": network, "NFS": network, "cifs": network, "smb3": network, "ceph": network, "lustre": network, "afs": network,
		"fuse.sshfs": network, "fuse.glusterfs": network, "fuse.s3fs": network, "fuse.rclone": network, "fuse.ceph-fuse": network,
		"fuse.juicefs": network, "fuse.mount-s3": network, "fuse.gcsfuse": network,
		"9p": doubted, "virtiofs": doubted, "fuse": doubted, "fuse.grpcfuse": doubted, "fuse.mergerfs": doubted,
	} {
		if got := trustIn(name); got != want {
			t.Errorf("trustIn(%q) = %d, want %d", name, got, want)
		}
	}
}

// A folder on a network file system is refused before anything is made in it, wherever in it that is mounted.
func TestNetworkFileSystemIsRefused(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "postgres/data", "redis"} {
		dir := folder(t)
		if at != "" {
			release(t, acquire(t, both(dir)))
		}
		opts := both(dir)
		opts.fileSystem = func(path string) string {
			if path == filepath.Join(dir, at) {
				return "nfs4"
			}
			return "ext4"
		}
		if _, err := Acquire(t.Context(), opts); !errors.Is(err, errNetwork) {
			t.Errorf("Acquire() with nfs4 at %q = %v, want errNetwork", at, err)
		}
		if names, err := os.ReadDir(dir); at == "" && len(names) > 0 {
			t.Errorf("%v, %v in a folder that was refused", names, err)
		}
	}
}

// Where nobody tells whether locks count, it works, and one line warns.
func TestDoubtedFileSystemWarns(t *testing.T) {
	t.Parallel()
	var lines logLines
	opts := Options{Dir: folder(t), Redis: true, Fast: true, Log: lines.logger(), fileSystem: func(string) string { return "9p" }}
	wantRunning(t, acquire(t, opts), true)
	if n := lines.count("file_system=9p"); n != 1 {
		t.Errorf("%d lines warn, want 1:\n%s", n, &lines)
	}
}

func TestMountedAs(t *testing.T) {
	t.Parallel()
	const table = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
41 27 0:52 / /mnt/share rw,relatime shared:7 master:1 - nfs4 server:/export rw,vers=4.2
42 27 0:53 /sub /mnt/home\040two rw - fuse.sshfs me@host:/home rw
`
	for device, want := range map[string]string{"254:0": "ext4", "0:52": "nfs4", "0:53": "fuse.sshfs", "0:99": ""} {
		if got := mountedAs(table, device); got != want {
			t.Errorf("mountedAs(%s) = %q, want %q", device, got, want)
		}
	}
}

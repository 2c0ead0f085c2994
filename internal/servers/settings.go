package servers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const mib = 1 << 20

// postgresSettings is the configuration of one start, for a machine with memory bytes of RAM
// (0: unknown). It includes initdb's own file and is itself below postgresql.auto.conf, so that
// ALTER SYSTEM still has the last word.
func postgresSettings(socketDir string, memory uint64, fast bool) []byte {
	buffers := min(max(memory/8/mib, 128), 1024)
	connections := 200
	if fast {
		buffers, connections = 128, 400
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Written anew at each start. What is here can be changed with ALTER SYSTEM.
include = 'postgresql.conf'
listen_addresses = ''
port = 5432
unix_socket_directories = '%s'
unix_socket_permissions = 0700
max_connections = %d
shared_buffers = %dMB
effective_cache_size = %dMB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
jit = off
autovacuum = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%%m [%%p] %%a '
logging_collector = off
`, socketDir, connections, buffers, max(memory/2/mib, 512))
	if fast {
		b.WriteString("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
	} else {
		b.WriteString("fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n")
	}
	return b.Bytes()
}

// redisSettings is the configuration of one start. A task in Redis is a reminder: losing a
// second of them is fine, losing some to an eviction policy is not.
func redisSettings(port, password string, databases int, fast bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Written anew at each start.
bind 127.0.0.1
port %s
protected-mode yes
requirepass %s
databases %d
maxmemory-policy noeviction
daemonize no
supervised no
pidfile redis.pid
proc-title-template "{title} {config-file}"
save ""
`, port, password, databases)
	if fast {
		b.WriteString("appendonly no\n")
	} else {
		b.WriteString("appendonly yes\nappendfsync everysec\naof-load-truncated yes\n")
	}
	return b.Bytes()
}

// machineMemory is the RAM this process may use in bytes, 0 if nobody tells.
func machineMemory(ctx context.Context) uint64 {
	total := linuxMemory()
	if total == 0 {
		total = darwinMemory(ctx)
	}
	if limit := cgroupLimit(); limit > 0 && (total == 0 || limit < total) {
		return limit
	}
	return total
}

func linuxMemory() uint64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			return parseUint(fields[1]) << 10
		}
	}
	return 0
}

func darwinMemory(ctx context.Context) uint64 {
	output, err := exec.CommandContext(ctx, "sysctl", "-n", "hw.memsize").Output()
	if err != nil {
		return 0
	}
	return parseUint(strings.TrimSpace(string(output)))
}

// cgroupLimit is a container's limit; "max" means none.
func cgroupLimit() uint64 {
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return 0
	}
	return parseUint(strings.TrimSpace(string(text)))
}

func parseUint(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

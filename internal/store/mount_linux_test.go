package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// smallDisk mounts a file system of a few hundred KiB.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("mounting is not allowed here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestBackupOnAFullDisk leaves no half file, and the older backup alone.
func TestBackupOnAFullDisk(t *testing.T) {
	t.Parallel()
	path := filled(t, 10)
	s := openAt(t, path)
	dir := smallDisk(t, "600k")
	first, err := s.Backup(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 400)
	_, err = s.Backup(t.Context(), dir)
	wantCode(t, err, "disk_full")
	if all, err := store.Backups(dir); err != nil || len(all) != 1 || all[0].Path != first.Path {
		t.Errorf("backups %v, %v", all, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left %v, %v", files, err)
	}
}

// TestAcceptOnAFullDisk fills the disk under the database itself.
func TestAcceptOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "1m")
	path := filepath.Join(dir, "switchboard.db")
	s := openAt(t, path)
	acked := int64(0)
	var err error
	for ; err == nil && acked < 10000; acked++ {
		_, err = s.Accept(t.Context(), []bridge.NewJob{question(acked)})
	}
	acked--
	var e *bridge.Error
	if !errors.As(err, &e) || e.Code != "disk_full" && e.Code != "disk" {
		t.Fatalf("after %d: %v", acked, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), []bridge.NewJob{question(acked)}); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantJobs(t, path, acked+1)
}

// TestReadOnly opens a data directory that cannot be written to.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "4m")
	path := filepath.Join(dir, "switchboard.db")
	if err := openAt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{path, filepath.Join(dir, "new", "switchboard.db")} {
		_, err := store.Open(t.Context(), store.Options{Path: name})
		wantCode(t, err, "read_only")
		if bridge.KindOf(err) != bridge.KindForbidden {
			t.Errorf("kind %s", bridge.KindOf(err))
		}
	}
}

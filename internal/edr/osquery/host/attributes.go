package host

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Attributes of a Windows file, those that osquery has letters for, and those of content that is elsewhere (MS-FSCC 2.6).
const (
	AttrReadOnly     = 0x1
	AttrHidden       = 0x2
	AttrSystem       = 0x4
	AttrDirectory    = 0x10
	AttrArchive      = 0x20
	AttrNormal       = 0x80
	AttrTemporary    = 0x100
	AttrReparse      = 0x400
	AttrCompressed   = 0x800
	AttrOffline      = 0x1000
	AttrNotIndexed   = 0x2000
	AttrEncrypted    = 0x4000
	AttrIntegrity    = 0x8000
	AttrNoScrub      = 0x20000
	AttrRecallOpen   = 0x40000
	AttrRecallAccess = 0x400000
)

// Reparse tags. A surrogate stands for another file: links, junctions, mounted volumes (MS-FSCC 2.1.2.1).
const (
	tagSurrogate = 0x2000_0000
	tagSocket    = 0x8000_0023
	tagFIFO      = 0x8000_0024
	tagCharacter = 0x8000_0025
	tagBlock     = 0x8000_0026
)

// ErrElsewhere says that the content of a file is not on this machine; reading it would fetch it.
var ErrElsewhere = errors.New("its content is not on this machine; reading would fetch it")

// File is what Windows tells of a file.
type File struct {
	Attributes, Tag            uint32
	Volume                     uint32
	Index                      uint64
	Size, Links                int64
	UID, GID                   int64  // the last part of the owner's id; -1 when it can not be seen
	Owner                      string // the owner's id (SID)
	ATime, MTime, CTime, BTime time.Time
}

// Letters writes attributes as osquery does. M, for content that is fetched when it is read, is our own.
func Letters(attributes uint32) string {
	letters := []struct {
		bit    uint32
		letter byte
	}{
		{AttrArchive, 'A'}, {AttrCompressed, 'C'}, {AttrEncrypted, 'E'}, {AttrReparse, 'L'}, {AttrHidden, 'H'}, {AttrIntegrity, 'V'},
		{AttrNormal, 'N'}, {AttrNotIndexed, 'I'}, {AttrNoScrub, 'X'}, {AttrOffline, 'O'}, {AttrReadOnly, 'R'}, {AttrSystem, 'S'},
		{AttrTemporary, 'T'}, {AttrRecallAccess | AttrRecallOpen, 'M'},
	}
	var out []byte
	for _, l := range letters {
		if attributes&l.bit != 0 {
			out = append(out, l.letter)
		}
	}
	return string(out)
}

// Elsewhere reports whether reading the file would fetch its content from somewhere else.
func (f File) Elsewhere() bool {
	return f.Attributes&(AttrOffline|AttrRecallOpen|AttrRecallAccess) != 0
}

// Link reports whether the file stands for another one: a link, a junction, the place where a volume is mounted.
func (f File) Link() bool { return f.Attributes&AttrReparse != 0 && f.Tag&tagSurrogate != 0 }

// Mode gives the sort of file in Go's form.
func (f File) Mode() fs.FileMode {
	switch {
	case f.Link():
		return fs.ModeSymlink
	case f.Attributes&AttrDirectory != 0:
		return fs.ModeDir
	case f.Attributes&AttrReparse == 0:
		return 0
	}
	switch f.Tag {
	case tagSocket:
		return fs.ModeSocket
	case tagFIFO:
		return fs.ModeNamedPipe
	case tagCharacter:
		return fs.ModeDevice | fs.ModeCharDevice
	case tagBlock:
		return fs.ModeDevice
	}
	return 0
}

// FileID writes the number of a file on its volume as fsutil does.
func FileID(index uint64) string { return fmt.Sprintf("0x%016x", index) }

// VolumeSerial writes the number of a volume as dir does.
func VolumeSerial(volume uint32) string { return fmt.Sprintf("%04x-%04x", volume>>16, volume&0xffff) }

// Ticks is a time as Windows counts it: units of 100 ns since 1601.
func Ticks(t time.Time) int64 { return t.UnixNano()/100 + 116_444_736_000_000_000 }

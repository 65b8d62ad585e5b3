package link

import "encoding/binary"

// refuses says whether an IP packet is the answer to a SYN that nobody listens
// for: RST and ACK with the sequence number 0 (RFC 9293, section 3.10.7.1).
func refuses(packet []byte) bool {
	segment := tcpSegment(packet)
	const rst, flags = 0x04, 13
	return len(segment) > flags && segment[flags]&rst != 0 && binary.BigEndian.Uint32(segment[4:]) == 0
}

// tcpSegment is what an IP packet without extension headers carries, if that is TCP.
func tcpSegment(packet []byte) []byte {
	const tcp = 6
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4 && packet[9] == tcp:
		return packet[min(len(packet), int(packet[0]&15)*4):]
	case len(packet) >= 40 && packet[0]>>4 == 6 && packet[6] == tcp:
		return packet[40:]
	}
	return nil
}

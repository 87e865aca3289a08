package wecom

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the platform's signature
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

const (
	keyChars  = 43
	padTo     = 32 // twice the cipher's block
	randomLen = 16
	headerLen = randomLen + 4 // random bytes, length of the message
)

var (
	errKey       = errors.New("is not 43 letters and digits")
	errBase64    = errors.New("not base64")
	errBlocks    = errors.New("not whole blocks")
	errPadding   = errors.New("wrong padding")
	errMsgLength = errors.New("wrong message length")
)

// decodeKey reads an EncodingAESKey. Most real keys have bits set behind the
// 32 bytes, which a strict decoder refuses.
func decodeKey(s string) ([]byte, error) {
	if len(s) != keyChars || strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) }) {
		return nil, errKey
	}
	key, err := base64.StdEncoding.DecodeString(s + "=")
	if err != nil {
		return nil, errKey
	}
	return key, nil
}

func alphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// sign returns the signature of a ciphertext.
func sign(token, timestamp, nonce, ciphertext string) string {
	parts := []string{token, timestamp, nonce, ciphertext}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // the platform's signature
	return hex.EncodeToString(sum[:])
}

// signed reports in constant time whether a signature is right.
func signed(signature, token, timestamp, nonce, ciphertext string) bool {
	want := sign(token, timestamp, nonce, ciphertext)
	return token != "" && subtle.ConstantTimeCompare([]byte(signature), []byte(want)) == 1
}

// decrypt opens a ciphertext: the message, and who it is for.
func decrypt(key []byte, ciphertext string) (message []byte, receiver string, err error) {
	data, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, "", errBase64
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, "", errBlocks
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, "", errKey
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	data, err = unpad(data)
	if err != nil {
		return nil, "", err
	}
	if len(data) < headerLen {
		return nil, "", errMsgLength
	}
	// As 64 bits, because the length may be anything up to 4 GiB.
	n, body := int64(binary.BigEndian.Uint32(data[randomLen:])), data[headerLen:]
	if n > int64(len(body)) {
		return nil, "", errMsgLength
	}
	return body[:n], string(body[n:]), nil
}

// encrypt closes a message for a receiver, with 16 random bytes in front of it.
func encrypt(key, random, message []byte, receiver string) (string, error) {
	data := slices.Concat(random, binary.BigEndian.AppendUint32(nil, uint32(len(message))), message, []byte(receiver)) //nolint:gosec // our own short words
	n := padTo - len(data)%padTo
	data = append(data, bytes.Repeat([]byte{byte(n)}, n)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", errKey
	}
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data), nil
}

// unpad takes PKCS#7 padding off.
func unpad(data []byte) ([]byte, error) {
	n := int(data[len(data)-1])
	if n < 1 || n > padTo || n > len(data) {
		return nil, errPadding
	}
	pad := data[len(data)-n:]
	if !bytes.Equal(pad, bytes.Repeat(pad[:1], n)) {
		return nil, errPadding
	}
	return data[:len(data)-n], nil
}

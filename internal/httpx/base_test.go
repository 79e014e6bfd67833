package httpx_test

import (
	"testing"

	"github.com/hunter-project/hunter/internal/httpx"
)

func TestCheckBase(t *testing.T) {
	t.Parallel()
	for base, ok := range map[string]bool{
		"https://cb.example": true, "https://cb.example:8443/below": true, "http://127.0.0.1:8080": true, "http://[::1]:1": true, "http://localhost": true,
		"": false, "cb.example": false, "http://cb.example": false, "ftp://cb.example": false, "https://user:pass@cb.example": false, "https://cb.example?x=1": false,
		"https://cb.example?": false, "https://cb.example#x": false, "https:cb.example": false, "https://": false, "http://127.0.0.1.example": false, "://": false,
	} {
		if err := httpx.CheckBase(base); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
}

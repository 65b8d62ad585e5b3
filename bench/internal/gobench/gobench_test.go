package gobench

import "testing"

func TestValuesAreReadByTheUnitsThatWereWritten(t *testing.T) {
	results, err := read([]byte("goos: linux\nBenchmarkHot/get-2 \t 2000 \t 593.1 ns/op \t 0.25 mallocs/op\nPASS\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Values["ns/op"] != 593.1 || results[0].Values["mallocs/op"] != 0.25 {
		t.Errorf("read %+v, want one result with 593.1 ns/op and 0.25 mallocs/op", results)
	}
}

func TestOutputWithoutResultsIsAnError(t *testing.T) {
	if r, err := read([]byte("goos: linux\nPASS\n")); err == nil {
		t.Errorf("read %+v of an output without a benchmark", r)
	}
}

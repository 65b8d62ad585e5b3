package scrape
import ("testing";"github.com/valyala/fasthttp")
func BenchmarkScrape(b *testing.B){ s:=&fasthttp.Server{}; f:=Of(s); b.ReportAllocs(); for b.Loop(){ if err:=f();err!=nil{b.Fatal(err)}}}

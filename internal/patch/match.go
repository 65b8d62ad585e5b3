package patch

import (
	"go/token"
)

// match says where a pattern stands in tokens: m[j] is the index of the first
// token that the pattern's token j matches, m[len(pattern)] the index behind the
// last. A token matches one, and "..." any number of them.
type match []int

// find returns a match for each index of tokens at which the pattern fits.
func find(tokens, pattern []tok) []match {
	f := &finder{tokens, pattern, closers(tokens), map[[2]int]bool{}, make(match, len(pattern)+1)}
	var found []match
	for i := range tokens {
		if f.fits(i, 0) {
			found = append(found, append(match(nil), f.at...))
		}
	}
	return found
}

type finder struct {
	tokens, pattern []tok
	// closer is for an opening bracket the index of what closes it, for any
	// other token its own index, and -1 for a closing bracket.
	closer []int
	// misfits are the pairs of a token and a "..." from where on the rest does
	// not fit, so that no pair is tried twice.
	misfits map[[2]int]bool
	at      match
}

// fits reports whether the pattern from its token j on fits the tokens from i
// on, and notes where in at.
func (f *finder) fits(i, j int) bool {
	ok := false
	switch {
	case j == len(f.pattern):
		ok = true
	case f.pattern[j].isRun():
		ok = f.runFits(i, j)
	case i < len(f.tokens):
		ok = f.tokens[i].same(f.pattern[j]) && f.fits(i+1, j+1)
	}
	if ok {
		f.at[j] = i
	}
	return ok
}

// runFits is fits where the pattern's token j is "...": the shortest run first.
func (f *finder) runFits(i, j int) bool {
	if i == len(f.tokens) || f.tokens[i].ends || f.misfits[[2]int{i, j}] {
		return false
	}
	if f.fits(i, j+1) || f.closer[i] >= 0 && f.fits(f.closer[i]+1, j) {
		return true
	}
	f.misfits[[2]int{i, j}] = true
	return false
}

func closers(tokens []tok) []int {
	at := make([]int, len(tokens))
	var open []int
	for i, t := range tokens {
		at[i] = i
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			at[i] = -1 // unless it is closed
			open = append(open, i)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			at[i] = -1
			if n := len(open) - 1; n >= 0 {
				at[open[n]] = i
				open = open[:n]
			}
		}
	}
	return at
}

// fit is the pattern with each "..." in the place of as many tokens as it
// matched.
func (p *pattern) fit(m match) *pattern {
	fitted := &pattern{plus: map[int]string{}}
	for j := range len(p.tokens) + 1 {
		if text, ok := p.plus[j]; ok {
			at := m[j] - m[0]
			if have, ok := fitted.plus[at]; ok { // "..." matched nothing
				text = have + "\n" + text
			}
			fitted.plus[at] = text
		}
		if j < len(p.tokens) {
			for range m[j+1] - m[j] {
				fitted.ops = append(fitted.ops, p.ops[j])
			}
		}
	}
	return fitted
}

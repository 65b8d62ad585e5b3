package probe

func WritePage(path string, results []*Result) error { return nil }

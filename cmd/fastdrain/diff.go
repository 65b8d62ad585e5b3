package main

import (
	"bufio"
	"context"

	"github.com/urfave/cli/v3"
)

func diffCommand() *cli.Command {
	return &cli.Command{
		Name:  "diff",
		Usage: "print the patches and our files as an ordinary unified diff",
		Description: "Prints what git apply takes in the root of a pristine upstream tree:\n\n" +
			"   fastdrain diff > drain.patch; cd fasthttp; git apply ../drain.patch",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "upstream", Usage: "against `VERSION` instead of the pinned one"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			p, err := onlyProject(cmd)
			if err != nil {
				return err
			}
			c, err := p.Copy(ctx, cmd.String("upstream"))
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.Root().Writer)
			if err := c.WriteDiff(out); err != nil {
				return err
			}
			return out.Flush()
		},
	}
}

module thousand

go 1.19

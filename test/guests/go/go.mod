module wherry.dev/test/guests/inventory

go 1.21

// Package tg speaks TG's single-wallet dialect ("Operator API Implementation Description", and the
// pages about balance, betNSettle, rollback and retryBet that belong to it).
//
// TG calls one URL. The body is {"cipherText": …}: AES-256-GCM, the base64 of the nonce (16
// characters), of the tag (24) and of the data behind each other. Decrypted it names its action. We
// answer in plain JSON with a status: 0000 done, 2001 done before, 1006 refused for good, 9999
// failed, 2003 cannot be taken back. TG gives up after 3 s and then takes the bet back for hours.
package tg

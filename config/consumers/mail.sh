#!/bin/sh
# One mail for one alert, for `tocsin consume NAME --exec mail.sh`.
#
#   MAIL_TO      who gets it; several with commas
#   MAIL_FROM    who sends it (default tocsin@HOST)
#   MAIL_SERVER  smtp://relay.example:587 or smtps://...: sent there by curl; without it sendmail does it
#   MAIL_CURL    a file of more options for curl (curl -K), where a password may stand: user = "me:secret"
#
# It ends with 0 when the server has taken the mail; then the alert is acknowledged. The Message-ID is the
# alert's id, so that a mail that is sent twice after a crash is known as the same.
set -eu
: "${MAIL_TO:?say who gets the mails}"
from=${MAIL_FROM:-tocsin@$(uname -n)}

# A header as RFC 2047 wants it: any text, also with line ends, becomes harmless words of at most 75
# characters, cut between characters.
encoded() {
    text=$(printf %s "$1" | tr '\r\n' '  ')
    while [ -n "$text" ]; do
        part=$(printf %s "$text" | head -c 39 | iconv -c -f UTF-8 -t UTF-8) || :
        [ -n "$part" ] || break
        printf ' =?UTF-8?B?%s?=\n' "$(printf %s "$part" | base64 -w 0)"
        text=${text#"$part"}
    done
}

mail() {
    printf 'From: %s\nTo: %s\n' "$from" "$MAIL_TO"
    printf 'Subject:%s\n' "$(encoded "[$TOCSIN_ALERT_SEVERITY] $TOCSIN_ALERT_TITLE")"
    printf 'Date: %s\n' "$(LC_ALL=C date -R)"
    printf 'Message-ID: <%s@tocsin>\n' "$TOCSIN_ALERT_ID"
    printf 'Auto-Submitted: auto-generated\nMIME-Version: 1.0\n'
    printf 'Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n'
    printf '%s\n\n%s\n\n%s\n\nwatch %s, alert #%s of %s\n' "$TOCSIN_ALERT_TITLE" "$TOCSIN_ALERT_EXCERPT" \
        "$TOCSIN_ALERT_URL" "$TOCSIN_ALERT_WATCH" "$TOCSIN_ALERT_SEQ" "$TOCSIN_ALERT_TIME" | base64 -w 76
}

if [ -z "${MAIL_SERVER:-}" ]; then
    mail | "${SENDMAIL:-/usr/sbin/sendmail}" -i -t -f "$from"
    exit
fi
set -- --silent --show-error --max-time 60 --url "$MAIL_SERVER" --mail-from "$from"
[ -z "${MAIL_CURL:-}" ] || set -- "$@" -K "$MAIL_CURL"
rest=$MAIL_TO,
while [ -n "$rest" ]; do
    to=${rest%%,*}
    rest=${rest#*,}
    set -- "$@" --mail-rcpt "$(printf %s "$to" | tr -d ' ')"
done
# SMTP wants CR LF.
mail | sed 's/$/\r/' | curl "$@" --upload-file -

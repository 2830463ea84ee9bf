;; Finds the end of a section and of its lines, RFC 9112 §2.1, sixteen bytes at a time: what src/section-scanner.ts does for
;; sections that are whole and have nothing wrong with them. Of all others it says that they are not such.
;;
;;      0  the section, and what follows it: up to 4096 bytes
;;  16380  how many lines it has
;;  16384  where the token ends that each line begins with, from the section's start
;;  24576  where each line ends, at its CR
;;
;; A line has three bytes at least, so that there is room for those of 4096 bytes. Reads run past `stop`, where there is
;; something or other: a line counts only when its CR LF is before it.
;;
;; Written inside out: (f (a) (b)) is f(a(), b()). A branch to a block leaves it; one to a loop begins it again, and a loop
;; that nothing branches to ends. A v128 is sixteen bytes. Comparing two makes each byte 0xff or 0, `bitmask` one bit of each
;; byte, the lowest of the first: as many zeros as it ends with (ctz), so many bytes stand before the first that was found.
(module
  (memory (export "memory") 1)

  ;; The length of the section at `at`, with its empty line; or 0.
  (func (export "scan") (param $at i32) (param $stop i32) (result i32)
    (local $i i32)
    (local $start i32)   ;; of the present line
    (local $token i32)   ;; where its token ends
    (local $line i32)    ;; four times its number
    (local $bytes v128)
    (local $found i32)   ;; a bit for each byte that is looked for

    (local.set $i (local.get $at))
    (local.set $start (local.get $at))
    (loop $lines
      ;; The next byte that is of no token, RFC 9110 §5.6.2. Of a byte 16h + l, the first `swizzle` looks up by l with
      ;; which h it would be of one, a bit for each; the second one makes the bit of its own h, none from 0x80 on.
      (block $tokenEnd
        (loop $more
          (local.set $bytes (v128.load (local.get $i)))
          (local.set $found
            (i8x16.bitmask
              (i8x16.eq
                (v128.and
                  (i8x16.swizzle
                    (v128.const i8x16 0xe8 0xfc 0xf8 0xfc 0xfc 0xfc 0xfc 0xfc 0xf8 0xf8 0xf4 0x54 0xd0 0x54 0xf4 0x70)
                    (v128.and (local.get $bytes) (i8x16.splat (i32.const 0x0f))))
                  (i8x16.swizzle
                    (v128.const i8x16 1 2 4 8 16 32 64 128 0 0 0 0 0 0 0 0)
                    (i8x16.shr_u (local.get $bytes) (i32.const 4))))
                (v128.const i64x2 0 0))))
          (br_if $tokenEnd (local.get $found))
          (local.set $i (i32.add (local.get $i) (i32.const 16)))
          (br_if $more (i32.lt_u (local.get $i) (local.get $stop))))
        (return (i32.const 0)))
      (local.set $i (i32.add (local.get $i) (i32.ctz (local.get $found))))
      (local.set $token (local.get $i))

      ;; The next control but HTAB.
      (block $textEnd
        (loop $more
          (local.set $bytes (v128.load (local.get $i)))
          (local.set $found
            (i8x16.bitmask
              (v128.or
                (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x7f)))
                (v128.andnot
                  (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 0x20)))
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x09)))))))
          (br_if $textEnd (local.get $found))
          (local.set $i (i32.add (local.get $i) (i32.const 16)))
          (br_if $more (i32.lt_u (local.get $i) (local.get $stop))))
        (return (i32.const 0)))
      (local.set $i (i32.add (local.get $i) (i32.ctz (local.get $found))))

      ;; Only CR LF ends a line.
      (if (i32.gt_u (i32.add (local.get $i) (i32.const 2)) (local.get $stop))
        (then (return (i32.const 0))))
      (if (i32.ne (i32.load16_u (local.get $i)) (i32.const 0x0a0d))
        (then (return (i32.const 0))))

      ;; An empty line ends the section.
      (if (i32.eq (local.get $i) (local.get $start))
        (then
          (i32.store (i32.const 16380) (i32.shr_u (local.get $line) (i32.const 2)))
          (return (i32.sub (i32.add (local.get $i) (i32.const 2)) (local.get $at)))))

      (i32.store offset=16384 (local.get $line) (i32.sub (local.get $token) (local.get $at)))
      (i32.store offset=24576 (local.get $line) (i32.sub (local.get $i) (local.get $at)))
      (local.set $line (i32.add (local.get $line) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 2)))
      (local.set $start (local.get $i))
      (br $lines))
    (unreachable)))

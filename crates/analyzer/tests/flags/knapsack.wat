;; gains from: simd
;;
;; int best[2][10001], weight[100], value[100];
;; void _start(void) { for (int i = 0; i < 100; i++) { int *to = best[i & 1], *from = best[~i & 1]; int w = weight[i] & 63, v = value[i];
;;   for (int c = 64; c <= 10000; c++) { int x = from[c - w] + v; to[c] = x > from[c] ? x : from[c]; } } }
(module
  (type (;0;) (func))
  (memory (;0;) 18)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const 0
    local.set 1
    i32.const 1
    local.set 2
    loop ;; label = @1
      local.get 2
      i32.const 1
      i32.and
      i32.const 40004
      i32.mul
      local.tee 3
      local.get 0
      i32.const 2
      i32.shl
      local.tee 4
      i32.load offset=1128592
      i32.const 63
      i32.and
      i32.const 2
      i32.shl
      i32.sub
      i32.const 1048576
      i32.add
      local.set 5
      local.get 1
      i32.const 1
      i32.and
      i32.const 40004
      i32.mul
      i32.const 1048576
      i32.add
      local.set 6
      local.get 3
      i32.const 1048576
      i32.add
      local.set 7
      local.get 4
      i32.load offset=1128992
      local.set 4
      i32.const 0
      local.set 3
      loop ;; label = @2
        local.get 6
        local.get 3
        i32.add
        local.tee 8
        i32.const 256
        i32.add
        local.get 5
        local.get 3
        i32.add
        local.tee 9
        i32.const 256
        i32.add
        i32.load
        local.get 4
        i32.add
        local.tee 10
        local.get 7
        local.get 3
        i32.add
        local.tee 11
        i32.const 256
        i32.add
        i32.load
        local.tee 12
        local.get 10
        local.get 12
        i32.gt_s
        select
        i32.store
        block ;; label = @3
          local.get 3
          i32.const 39744
          i32.ne
          br_if 0 (;@3;)
          local.get 1
          i32.const 1
          i32.xor
          local.set 1
          local.get 2
          i32.const 1
          i32.xor
          local.set 2
          local.get 0
          i32.const 1
          i32.add
          local.tee 0
          i32.const 100
          i32.ne
          br_if 2 (;@1;)
          return
        end
        local.get 8
        i32.const 260
        i32.add
        local.get 9
        i32.const 260
        i32.add
        i32.load
        local.get 4
        i32.add
        local.tee 10
        local.get 11
        i32.const 260
        i32.add
        i32.load
        local.tee 12
        local.get 10
        local.get 12
        i32.gt_s
        select
        i32.store
        local.get 3
        i32.const 8
        i32.add
        local.set 3
        br 0 (;@2;)
      end
    end
  )
)


;; gains from: branchy
;;
;; int a[2048];
;; void _start(void) { for (int i = 0; i < 2047; i++) for (int j = 0; j < 2047 - i; j++)
;;   if (a[j] > a[j+1]) { int t = a[j]; a[j] = a[j+1]; a[j+1] = t; } }
(module
  (type (;0;) (func))
  (memory (;0;) 17)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    i32.const 2047
    local.set 0
    i32.const 0
    local.set 1
    loop ;; label = @1
      i32.const 0
      i32.load offset=1048576
      local.set 2
      block ;; label = @2
        block ;; label = @3
          block ;; label = @4
            local.get 1
            i32.const 2046
            i32.ne
            br_if 0 (;@4;)
            i32.const 0
            local.set 3
            br 1 (;@3;)
          end
          local.get 0
          i32.const 1
          i32.and
          local.set 4
          local.get 0
          i32.const -2
          i32.and
          local.set 5
          i32.const 0
          local.set 3
          i32.const 1048576
          local.set 6
          loop ;; label = @4
            block ;; label = @5
              block ;; label = @6
                local.get 2
                local.get 6
                i32.const 4
                i32.add
                local.tee 7
                i32.load
                local.tee 8
                i32.gt_s
                br_if 0 (;@6;)
                local.get 8
                local.set 2
                br 1 (;@5;)
              end
              local.get 6
              local.get 8
              i32.store
              local.get 7
              local.get 2
              i32.store
            end
            block ;; label = @5
              block ;; label = @6
                local.get 2
                local.get 6
                i32.const 8
                i32.add
                local.tee 8
                i32.load
                local.tee 9
                i32.gt_s
                br_if 0 (;@6;)
                local.get 9
                local.set 2
                br 1 (;@5;)
              end
              local.get 6
              i32.const 8
              i32.add
              local.get 2
              i32.store
              local.get 7
              local.get 9
              i32.store
            end
            local.get 8
            local.set 6
            local.get 5
            local.get 3
            i32.const 2
            i32.add
            local.tee 3
            i32.ne
            br_if 0 (;@4;)
          end
          local.get 4
          i32.eqz
          br_if 1 (;@2;)
        end
        local.get 2
        local.get 3
        i32.const 2
        i32.shl
        local.tee 6
        i32.load offset=1048580
        local.tee 3
        i32.le_s
        br_if 0 (;@2;)
        local.get 6
        i32.const 1048576
        i32.add
        local.get 2
        i32.store offset=4
        local.get 6
        local.get 3
        i32.store offset=1048576
      end
      local.get 0
      i32.const -1
      i32.add
      local.set 0
      local.get 1
      i32.const 1
      i32.add
      local.tee 1
      i32.const 2047
      i32.ne
      br_if 0 (;@1;)
    end
  )
)


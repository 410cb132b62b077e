// Sorts 300 000 pseudo-random integers with a quicksort of its own: recursion and data-dependent branches.
#include <stdint.h>
#include <stdio.h>

#define COUNT 300000

static uint32_t values[COUNT];

static void sort(uint32_t *items, int low, int high) {
    while (low < high) {
        uint32_t pivot = items[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (items[i] < pivot) i++;
            while (items[j] > pivot) j--;
            if (i <= j) {
                uint32_t swap = items[i];
                items[i++] = items[j];
                items[j--] = swap;
            }
        }
        if (j - low < high - i) {
            sort(items, low, j);
            low = i;
        } else {
            sort(items, i, high);
            high = j;
        }
    }
}

int main(void) {
    uint32_t seed = 12345;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = seed;
    }
    sort(values, 0, COUNT - 1);
    for (int i = 1; i < COUNT; i++)
        if (values[i - 1] > values[i]) return 1;
    printf("%u %u %u\n", values[0], values[COUNT / 2], values[COUNT - 1]);
    return 0;
}

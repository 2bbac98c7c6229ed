// Builds, walks and frees binary trees: malloc, free, pointers.
#include "kernel.h"
typedef struct Node {
  struct Node *left, *right;
} Node;
static Node* grow(int depth) {
  Node* node = malloc(sizeof *node);
  node->left = depth ? grow(depth - 1) : 0;
  node->right = depth ? grow(depth - 1) : 0;
  return node;
}
static uint32_t count(const Node* node) {
  return node ? 1 + count(node->left) + 2 * count(node->right) : 0;
}
static void fell(Node* node) {
  if (!node) return;
  fell(node->left);
  fell(node->right);
  free(node);
}
int main(void) {
  uint64_t sum = 0;
  for (int round = 0; round < 60; round++) {
    Node* tree = grow(15);
    sum += count(tree);
    fell(tree);
  }
  kernel_report("trees", sum);
}

// One sync of Argo CD's: the manifests on standard input are brought into a namespace in the order of their hooks and waves.
//
//	KUBECONFIG=FILE gitops NAMESPACE REVISION <MANIFESTS
//
// As Argo CD's controller does, each step looks at the cluster anew. Exit 0 when the sync succeeded, 1 when it failed. With the revision
// "compare" nothing is synced: what is no hook and differs from the cluster is printed, as that is what makes Argo CD sync by itself.
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type operation struct {
	phase   common.OperationPhase
	message string
	results []common.ResourceSyncResult
	started metav1.Time
}

// What is there of the target.
func find(live cache.ClusterCache, target []*unstructured.Unstructured) (map[kube.ResourceKey]*unstructured.Unstructured, error) {
	wanted := map[kube.ResourceKey]bool{}
	for _, object := range target {
		wanted[kube.GetResourceKey(object)] = true
	}
	return live.GetManagedLiveObjs(target, func(found *cache.Resource) bool { return wanted[found.ResourceKey()] })
}

func step(config *rest.Config, live cache.ClusterCache, target []*unstructured.Unstructured, namespace, revision string, now *operation) error {
	managed, err := find(live, target)
	if err != nil {
		return err
	}
	options := []sync.SyncOpt{sync.WithInitialState(now.phase, now.message, now.results, now.started), sync.WithManifestValidation(true)}
	context, end, err := sync.NewSyncContext(revision, sync.Reconcile(target, managed, namespace, live), config, config, &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}, namespace, options...)
	if err != nil {
		return err
	}
	defer end()
	context.Sync()
	now.phase, now.message, now.results = context.GetState()
	return nil
}

func compare(live cache.ClusterCache, target []*unstructured.Unstructured, namespace string) error {
	if err := live.EnsureSynced(); err != nil {
		return err
	}
	managed, err := find(live, target)
	if err != nil {
		return err
	}
	found := sync.Reconcile(target, managed, namespace, live)
	differences, err := diff.DiffArray(found.Target, found.Live, diff.WithLogr(logr.Discard()))
	if err != nil {
		return err
	}
	for index, difference := range differences.Diffs {
		object := found.Target[index]
		if object != nil && difference.Modified {
			fmt.Printf("differs: %s/%s\n", object.GetKind(), object.GetName())
		}
	}
	return nil
}

func run(namespace, revision string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	target, err := kube.SplitYAML(text)
	if err != nil {
		return err
	}
	keep := func(*unstructured.Unstructured, bool) (any, bool) { return nil, true }
	live := cache.NewClusterCache(config, cache.SetNamespaces([]string{namespace}), cache.SetPopulateResourceInfoHandler(keep))
	for _, object := range target {
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
	}
	if revision == "compare" {
		return compare(live, target, namespace)
	}
	now := operation{phase: common.OperationRunning, started: metav1.Now()}
	for !now.phase.Completed() {
		if err := live.EnsureSynced(); err != nil {
			return err
		}
		if err := step(config, live, target, namespace, revision, &now); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	for _, result := range now.results {
		fmt.Printf("%s: %s %s\n", result.ResourceKey.String(), result.HookPhase, result.Message)
	}
	fmt.Printf("%s: %s\n", now.phase, now.message)
	if !now.phase.Successful() {
		os.Exit(1)
	}
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "gitops: NAMESPACE REVISION")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(2)
	}
}

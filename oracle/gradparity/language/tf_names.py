"""Which names of `tf` a case may use, and why it may not use the others.

The allowed names are data, in `tf_names.txt`; `tools/list_tf_names.py` remakes that file
from an installed TensorFlow and the table below.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FILES = "it touches files"
_PROCESS = "it changes the process, in which later checks run"
_PYTHON = "it calls back into Python"
_NETWORK = "it uses other machines or devices"
_WAITS = "it holds state outside the graph or waits for other steps"
_SESSION = "the harness runs the graph; a case only builds it"
_PIPELINE = "it reads data through a pipeline; give data as `inputs`"
_LIBRARY = "it is a library above TensorFlow's ops"
_FORMAT = "it is a message format, not a computation"
_ASIDE = "it is not about gradients"

# What a case may not use: reason, and a pattern (blanks have no meaning) for the whole name
# below `tf`. The first pattern that fits gives the reason.
FORBIDDEN: tuple[tuple[str, str], ...] = (
    (
        _FILES,
        r"read_file | write_file | matching_files | load_\w+ | \w*Reader\w* | import_graph_def",
    ),
    (_FILES, r"(io|gfile|python_io|saved_model|lite|summary|resource_loader|graph_util) (\..*)?"),
    (_FILES, r"train\.(Saver | \w*[Cc]heckpoint\w* | \w*meta_graph | write_graph | Summary\w*)"),
    (_FILES, r"((random|nn)\.)? fixed_unigram_candidate_sampler"),
    (_PYTHON, r"py_func | py_function | numpy_function | wrap_function | Module"),
    (_PYTHON, r"nondifferentiable_batch_function | register_tensor_conversion_function"),
    (_PYTHON, r"variable_creator_scope | ragged\.map_flat_values | (nest | autograph) (\..*)?"),
    (f"{_PROCESS}; choose a `profile` instead", r"(enable | disable)_\w+"),
    (_PROCESS, r"reset_default_graph | init_scope | container"),
    (_PROCESS, r"(flags | app | logging | config | test | compat | sysconfig | profiler) (\..*)?"),
    (_PROCESS, r"(experimental | mixed_precision | __internal__) (\..*)? | get_logger"),
    (_PROCESS, r"debugging\.(enable | disable | set | get | experimental | is_traceback) .*"),
    (_PROCESS, r"random\.(experimental\.)? (\w*global_generator | Generator | create_rng_state)"),
    ("it prints to the standard output", r"print"),
    (_SESSION, r"Session | InteractiveSession | get_default_session | (get_|delete_)?session\w*"),
    (_NETWORK, r"(distribute | tpu | mlir | xla | types) (\..*)?"),
    (_PIPELINE, r"(data | feature_column | queue) (\..*)? | parse_\w+ | \w*Queue\w*"),
    (_WAITS, r"lookup (\..*)? | (initializers\.)? tables_initializer | CriticalSection"),
    (_WAITS, r"(sparse\.)? \w*Accumulator\w*"),
    (_LIBRARY, r"(keras | estimator | layers | metrics | distributions) (\..*)?"),
    (_LIBRARY, r"nn\.\w*rnn\w*"),
    (_ASIDE, r"timestamp | (audio | user_ops) (\..*)? | \w+_VERSION\w* | \w+_FLAG | VERSION"),
    (_ASIDE, r"MONOLITHIC_BUILD | image\.(decode | encode)_\w+ | image\.extract_jpeg_shape"),
    ("TensorFlow 2 no longer has it", r"contrib (\..*)?"),
    (_FORMAT, r"\w*(Proto | Def | Options | Metadata | Summary | Info | Log | Message | Event)"),
    (_FORMAT, r"make_ndarray | make_tensor_proto | \w*Feature | AttrValue | NameAttrList"),
    (_FORMAT, r"decode_compressed | decode_json_example"),
    (
        "of tf.train, a case may use optimizers and decays",
        r"""train\.(SyncReplicas.* | (?! \w*Optimizer (\.GATE_\w+)? $ | \w+_decay\w*$ |
        piecewise_constant | ExponentialMovingAverage$ |
        (get_|create_|get_or_create_)?global_step$) .*)""",
    ),
    # Raw ops.
    (
        _FILES,
        r"""raw_ops\.(\w*(File | Restore | Save | Checkpoint | Reader | Asset | Sharded | TFRecord |
        Summary | ImportEvent | LMDB | RecordInput)\w* | Copy | CopyHost | ImmutableConst |
        LoadAndRemapMatrix | GenerateVocabRemapping | FixedUnigramCandidateSampler |
        StoreMinibatchStatisticsInFdo)""",
    ),
    (_PYTHON, r"raw_ops\.\w*(PyFunc | PyFunction | Generator)\w*"),
    (_PROCESS, r"raw_ops\.(Abort | Debug\w* | Dummy\w* | Fact)"),
    (_ASIDE, r"raw_ops\.(PrintV2 | StringFormat | Timestamp)"),
    (
        _NETWORK,
        r"""raw_ops\.(\w*(TPU | Infeed | Outfeed | Collective | Nccl | Send | Recv | RemoteCall |
        Xla | Distributed | Replica | Cudnn | Prelinearize | Service | GPU | SparseCore | Coo)\w* |
        AllToAll | WorkerHeartbeat | GlobalIterId | SyncDevice | DeviceIndex |
        DisableCopyOnRead)""",
    ),
    (
        _PIPELINE,
        r"""raw_ops\.(\w*(Dataset | Iterator | Optional | (?<!Nth)Element(?!Shape) | MultiDevice |
        Example | MemoryCache)\w* | (Decode | Encode)(Bmp | Gif | Image | JSON | J | Png | Proto |
        Wav | WebP | AndCrop | Compressed)\w* | Batch | BatchFunction | Unbatch | UnbatchGrad |
        ParseTensor | SerializeTensor | ExtractJpegShape | WindowOp | ComputeBatchSize |
        GetOptions)""",
    ),
    (
        _WAITS,
        r"""raw_ops\.(\w*(Queue | Barrier | Stage | Unstage | Mutex | Accumulator | Table |
        Session | Stats | BoostedTrees | Sdca | ThreadPool)\w* | (Ordered)?Map(Peek | Size | Clear |
        IncompleteSize) | KMC2\w* | Kmeans\w* | MapDefun | DestroyResourceOp |
        NonDeterministicInts)""",
    ),
    (
        "it wants a function definition, which a case cannot make",
        r"""raw_ops\.(\w*PartitionedCall | SymbolicGradient | FakeParam |
        (Stateless)?(If | While | Case | For))""",
    ),
    (_ASIDE, r"raw_ops\.(_.* | Risc\w* | Audio\w* | Mfcc | \w*Compress\w* | CustomAggregator)"),
)


@cache
def allowed() -> frozenset[str]:
    """The names below `tf` that a case may use: "add", "nn.relu", "raw_ops.Add", "float32"."""
    text = Path(__file__).with_name("tf_names.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def modules() -> frozenset[str]:
    """The modules of which `allowed` has names: "nn", "math.special"."""
    parents = {name.rpartition(".")[0] for name in allowed() if "." in name}
    return frozenset(parents) - allowed()


def reason_against(name: str) -> str:
    """Why `name`, below `tf`, is forbidden; "" when nothing speaks against it."""
    found = (why for why, pattern in FORBIDDEN if re.fullmatch(pattern, name, re.VERBOSE))
    return next(found, "")

using System.Net;
using Omium.Runtime.Effects.Tools;

namespace Omium.Runtime.Effects.Mcp;

/// <summary>
/// Stands between the protocol and the network for one call: notes whether the request that calls the tool was sent, keeps it from being sent a second time, and
/// ends the call when an answer is too large.
/// </summary>
/// <param name="connections">The connections, which judge addresses.</param>
/// <param name="answerBytesMax">Largest answer.</param>
internal sealed class McpHttpGate(SocketsHttpHandler connections, long answerBytesMax) : DelegatingHandler(connections)
{
    private static readonly TimeSpan FarewellWithin = TimeSpan.FromSeconds(2);
    private readonly long _answerBytesMax = answerBytesMax;
    private readonly CancellationTokenSource _tooLarge = new();
    private SendTrace? _call;

    /// <summary>Cancelled when an answer is too large.</summary>
    public CancellationToken TooLarge => _tooLarge.Token;

    /// <summary>From here on a request is the call; what went before only found out how to speak.</summary>
    public bool IsCalling { get; set; }

    /// <summary>True when the first byte of the call was sent: from here on it may have happened.</summary>
    public bool Sent => _call is { Sent: true };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Version = HttpVersion.Version11; // One request at a time on a connection: "was it sent?" has an answer.
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (request.Content is { } content)
        {
            await content.LoadIntoBufferAsync(cancellationToken); // Its length is told: not every small server reads a body in chunks.
        }

        var trace = new SendTrace(mayRepeat: request.Method == HttpMethod.Get);
        if (IsCalling && request.Method == HttpMethod.Post)
        {
            _call ??= trace;
        }

        // Ending the session is a courtesy: a server that does not answer it must not keep what came of the call.
        using var courtesy = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (request.Method == HttpMethod.Delete)
        {
            courtesy.CancelAfter(FarewellWithin);
        }

        SendTrace.Current = trace; // Ends with this method: an async method restores its caller's context.
        var answer = await base.SendAsync(request, courtesy.Token);
        answer.Content = new BoundedContent(answer.Content, this);
        return answer;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tooLarge.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Refuse() => _tooLarge.Cancel();

    /// <summary>A body that ends the call when it is longer than it may be.</summary>
    private sealed class BoundedContent : HttpContent
    {
        private readonly HttpContent _inner;
        private readonly McpHttpGate _gate;

        public BoundedContent(HttpContent inner, McpHttpGate gate)
        {
            (_inner, _gate) = (inner, gate);
            foreach (var header in inner.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        protected override async Task<Stream> CreateContentReadStreamAsync() => new ReportingStream(await _inner.ReadAsStreamAsync(), _gate);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var body = await CreateContentReadStreamAsync();
            await body.CopyToAsync(stream);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    /// <summary>Gives what it is given, and says so when that is too much.</summary>
    private sealed class ReportingStream(Stream inner, McpHttpGate gate) : ReadOnlyStream
    {
        private readonly BoundedStream _bounded = new(inner, gate._answerBytesMax);

        public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await _bounded.ReadAsync(buffer, cancellationToken);
            }
            catch (BodyTooLargeException)
            {
                gate.Refuse();
                throw;
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}

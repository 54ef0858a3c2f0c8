using System.Text.Encodings.Web;

namespace Omium.Cli.Billing;

/// <summary><c>/sandbox/checkout/{id}</c>: the page where the sandbox is paid. Plain HTML, no script; the session's id, which nobody can guess, is the right to use it.</summary>
internal static class SandboxPages
{
    private const string Style = """
        :root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;background:Canvas;color:CanvasText}
        main{max-width:26rem;padding:2rem;border:1px solid color-mix(in srgb,CanvasText 20%,transparent);border-radius:.75rem;margin:1rem}
        .note{padding:.75rem 1rem;border-radius:.5rem;background:#fff3cd;color:#533f03;margin:0 0 1.5rem}h1{font-size:1.25rem;margin:0 0 .25rem}
        .amount{font-size:2.25rem;font-weight:650;margin:.25rem 0 0}form{display:inline}button{font:inherit;padding:.65rem 1.25rem;border-radius:.5rem;border:1px solid #1f5fbf;cursor:pointer}
        .pay{background:#1f5fbf;color:#fff}.quiet{background:transparent;color:inherit;border-color:color-mix(in srgb,CanvasText 40%,transparent)}p{margin:.75rem 0}
        """;

    /// <summary>Maps the page and its two buttons.</summary>
    public static void Map(IEndpointRouteBuilder endpoints, SandboxCheckout checkout)
    {
        const string Pattern = "/sandbox/checkout/{id}";
        endpoints.MapGet(Pattern, (RequestDelegate)(http => AnswerAsync(http, checkout.FindAsync)));
        endpoints.MapPost(Pattern + "/pay", (RequestDelegate)(http => ActAsync(http, checkout.PayAsync)));
        endpoints.MapPost(Pattern + "/cancel", (RequestDelegate)(http => ActAsync(http, checkout.CancelAsync)));
    }

    private static async Task ActAsync(HttpContext http, Func<string, CancellationToken, Task<SandboxSession?>> act)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        if (await act(id, http.RequestAborted) is { } session)
        {
            http.Response.StatusCode = StatusCodes.Status303SeeOther; // Going back and forth in the browser pays nothing twice.
            http.Response.Headers.Location = $"/sandbox/checkout/{session.Id}";
            return;
        }

        await AnswerAsync(http, static (_, _) => Task.FromResult<SandboxSession?>(null));
    }

    private static async Task AnswerAsync(HttpContext http, Func<string, CancellationToken, Task<SandboxSession?>> find)
    {
        var session = await find((string)http.Request.RouteValues["id"]!, http.RequestAborted);
        http.Response.StatusCode = session is null ? StatusCodes.Status404NotFound : StatusCodes.Status200OK;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(Page(session), http.RequestAborted);
    }

    private static string Page(SandboxSession? session)
    {
        var body = session switch
        {
            null => "<h1>No such checkout</h1><p>Begin a top-up again from the billing page.</p>",
            { Status: "paid" } => $"<h1>Paid</h1><p class=\"amount\">{session.Usd} USD</p><p>{session.Credits} credits are on their way; the billing page shows them when they are there.</p>",
            { Status: "cancelled" } => "<h1>Cancelled</h1><p>Nothing was paid.</p>",
            _ => $"""
                <h1>Top up Omium credits</h1><p class="amount">{session.Usd} USD</p><p>{session.Credits} credits for <strong>{HtmlEncoder.Default.Encode(session.Tenant)}</strong></p>
                <form method="post" action="/sandbox/checkout/{session.Id}/pay"><button class="pay" type="submit">Pay {session.Usd} USD (sandbox)</button></form>
                <form method="post" action="/sandbox/checkout/{session.Id}/cancel"><button class="quiet" type="submit">Cancel</button></form>
                """,
        };
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Sandbox checkout</title><style>{Style}</style></head>
            <body><main><p class="note"><strong>This is a sandbox.</strong> It stands for the payment service on this machine: no card is asked for and no money moves.</p>
            {body}<p><a href="/billing">Back to billing</a></p></main></body></html>
            """;
    }
}

export class HTTPHeaders {}
